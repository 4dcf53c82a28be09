"""The look of HTML pages. Colors carry nothing that words do not."""

CSS = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d5dae0; --paper: #fff; --tint: #f5f7f9;
  --stop: #a40e26; --stop-tint: #fdeced; --warn: #7a4b00; --warn-tint: #fff5dd; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --soft: #9aa5b1; --line: #343b44; --paper: #14181d;
  --tint: #1c2229; --stop: #ff8f94; --stop-tint: #3a171b; --warn: #f2c265; --warn-tint: #33270f; --link: #7db8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 3rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.2rem; margin: 0 0 .35rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { margin: .25rem 0; }
a { color: var(--link); }
code { font: .875em/1.4 ui-monospace, "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace; }
small { color: var(--soft); font-size: .875em; }
section { margin-top: 2.2rem; padding-top: 1.4rem; border-top: 1px solid var(--line); }
dl { display: grid; gap: .15rem .9rem; margin: .5rem 0; }
dl div { display: grid; grid-template-columns: 7rem 1fr; gap: .9rem; }
dt { color: var(--soft); }
dd { margin: 0; }
.upn { font-weight: 400; font-size: 1rem; color: var(--soft); margin-left: .4rem; }
.alert { margin: .7rem 0; padding: .55rem .8rem; border-left: 4px solid; border-radius: 3px; }
.alert.stop { color: var(--stop); background: var(--stop-tint); }
.alert.warn { color: var(--warn); background: var(--warn-tint); }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .38rem .7rem .38rem 0; overflow-wrap: break-word; }
th { font-weight: 600; color: var(--soft); font-size: .9em; border-bottom: 1px solid var(--line); }
tbody tr:first-child > td { border-top: 1px solid var(--line); }
td { font-variant-numeric: tabular-nums; }
.steps td:nth-child(2) { width: 21%; overflow-wrap: anywhere; }
.steps td:nth-child(2) small { display: block; }
.steps td:nth-child(3) { width: 12%; }
.steps td:nth-child(4) { width: 29%; }
.steps td:nth-child(1) { width: 2.2em; }
.n { color: var(--soft); text-align: right; padding-right: .6rem; }
.lossy b { color: var(--stop); }
.lossy td:nth-child(5) small { color: var(--stop); font-size: inherit; }
.open td:nth-child(n+3) { background: var(--warn-tint); }
.open td:nth-child(3) { color: var(--warn); padding-left: .4rem; }
.quiet td, .note td, .accepted td { color: var(--soft); }
.due th { padding-top: 1em; color: var(--ink); font-size: 1em; }
.needs td:nth-child(1) { width: 24%; } .needs td:nth-child(3) { width: 26%; }
.listing td { font-size: .93em; overflow-wrap: anywhere; }
.short { white-space: nowrap; }
.notes { margin: 1rem 0; padding-left: 1.2rem; }
.notes li { margin: .2rem 0; }
summary { color: var(--soft); cursor: pointer; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .875rem; }
@media screen and (max-width: 40rem) { body { padding: 1.2rem .9rem 2rem; } .listing { min-width: 36rem; }
  dl div { grid-template-columns: 6rem 1fr; } .steps thead, .steps td:empty { display: none; }
  .steps, .steps tbody, .steps tr, .steps td, .due th { display: block; width: auto !important; padding: .1rem 0; }
  .steps td, .due th { border: 0; } .steps td.n { padding-right: .5em; }
  .steps tbody { border-top: 1px solid var(--line); padding: .4rem 0; } tbody tr:first-child > td { border: 0; }
  .steps tr:not(.due) + tr { margin-top: .5rem; } .steps td.n, .steps td:nth-child(2) { display: inline; }
  .steps td.n:empty { display: none; } .open td:nth-child(n+3) { padding-left: .5rem; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --tint: #fff;
  --stop: #8a0018; --stop-tint: #fff; --warn: #5c3900; --warn-tint: #fff; --link: #000; }
  @page { margin: 16mm 14mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
  body { padding: 0; max-width: none; font-size: 10pt; } table { font-size: 9pt; } h1 { font-size: 15pt; }
  h2, h3, summary, thead { break-after: avoid; } .steps tbody, tr, .alert, dl, li { break-inside: avoid; }
  .scroll { overflow: visible; } thead { display: table-header-group; }
  .alert { border: 1px solid; border-left-width: 4px; }
  .open td:nth-child(3) { padding-left: 0; } }
"""
