"""Tests in a real browser: JupyterLab and Chromium, driven by Playwright (`make browser`)."""
