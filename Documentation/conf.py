# SPDX-License-Identifier: MIT
"""Sphinx configuration: plain reStructuredText, no extension, so that any Sphinx builds it."""

project = 'Hearth'
author = 'the Hearth authors'
version = release = '0.1'
root_doc = 'index'
highlight_language = 'none'
html_theme = 'alabaster'
html_show_copyright = False
html_theme_options = {'description': 'AI models on boards that anyone can build', 'page_width': '60em'}
