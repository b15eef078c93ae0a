// Light or dark: as JupyterLab or VS Code says, else as the reader's system does (then CSS decides).

function themeOfPage() {
  const { body } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "true" ? "light" : "dark";
  if (body.classList.contains("vscode-dark")) return "dark";
  if (body.classList.contains("vscode-light")) return "light";
  return null;
}

export function followTheme(root) {
  const apply = () => {
    const theme = themeOfPage();
    if (theme) root.dataset.theme = theme;
  };
  apply();
  const observer = new MutationObserver(apply);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  return () => observer.disconnect();
}
