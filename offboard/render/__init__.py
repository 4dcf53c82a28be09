"""From frozen values to words: plans, results and errors for a terminal, a pull request, a browser.

Nothing here decides, reads or writes. `view` says once what a reviewer must be told; `text`, `markdown` and `html` only
lay it out, so that no rendering can be quieter than another. Every text that somebody in the tenant may have typed goes
through `safe`, the only sanitizer, and is escaped once more for the medium.
"""
