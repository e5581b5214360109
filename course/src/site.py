"""Makes a static site of executed notebooks, for `vl site`.

Reads its work as JSON from standard input: the notebooks in order, what stands in an exercise's place before it is filled
in, and the hints. Writes one page a notebook, an index, one style sheet and the pictures.
"""

import base64
import html
import json
import re
import sys
from pathlib import Path

import nbformat
from nbconvert.filters import ansi2html, markdown2html
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import RustLexer

STYLE = """
:root { --ink: #1d2230; --pale: #6e7582; --line: #e3e6ec; --paper: #ffffff; --code: #f6f7f9; --link: #0b57a4; --mark: #fff7e0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7ee; --pale: #9aa3b2; --line: #333a47; --paper: #171b22; --code: #20262f; --link: #7db8f5; --mark: #332c18; }
  img { background: #fff; border-radius: 4px; }
  .highlight span { filter: brightness(1.5) saturate(.8); }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem 1.1rem 4rem; max-width: 46rem; color: var(--ink); background: var(--paper);
  font: 17px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.25; } h2 { margin-top: 2.4rem; font-size: 1.3rem; line-height: 1.3; }
a { color: var(--link); } nav { display: flex; justify-content: space-between; gap: 1rem; font-size: .95rem; }
nav.top { border-bottom: 1px solid var(--line); padding-bottom: .6rem; } nav.end { border-top: 1px solid var(--line); padding-top: .8rem; margin-top: 3rem; }
pre { overflow-x: auto; padding: .7rem .9rem; border-radius: 6px; background: var(--code); font: 13.5px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
code { font: .9em ui-monospace, "DejaVu Sans Mono", Menlo, monospace; background: var(--code); padding: .1em .25em; border-radius: 3px; }
pre code { padding: 0; background: none; font-size: inherit; }
.out { margin: -.4rem 0 1.2rem; padding-left: .9rem; border-left: 3px solid var(--line); overflow-x: auto; }
.out pre { background: none; padding: .2rem 0; } img { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: .92rem; } td, th { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
details { margin: .5rem 0; padding: .5rem .9rem; border: 1px solid var(--line); border-radius: 6px; background: var(--mark); }
summary { cursor: pointer; font-weight: 600; } .hole { margin: 1.2rem 0; }
ul.pages { list-style: none; padding-left: 0; } ul.pages li { margin: .7rem 0; } .pale { color: var(--pale); }
"""


def page(title, body, before="", after=""):
    links = lambda name: f'<nav class="{name}"><span>{before}</span><a href="index.html">All chapters</a><span>{after}</span></nav>'
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="stylesheet" href="style.css"></head><body>\n'
        f"{links('top')}\n<main>{body}</main>\n{links('end')}\n</body></html>\n"
    )


def code(source):
    return highlight(source, RustLexer(), HtmlFormatter(nowrap=False, wrapcode=True))


def inline(text):
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))


class Pictures:
    def __init__(self, out):
        self.folder, self.count = out / "pictures", 0
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, data, suffix):
        self.count += 1
        name = f"{self.count:03}.{suffix}"
        (self.folder / name).write_bytes(base64.b64decode(data))
        return f'<img loading="lazy" src="pictures/{name}" alt="what the cell shows">'


def output(one, pictures):
    if one.output_type == "stream":
        # A line that a progress bar has written over is not there any more.
        lines = [line.rsplit("\r", 1)[-1] for line in one.text.split("\n")]
        if any("done in" in line for line in lines):
            lines = [line for line in lines if not re.search("[█░]{5}", line)]
        return f"<pre>{ansi2html(chr(10).join(lines).rstrip())}</pre>" if "".join(lines).strip() else ""
    data = one.get("data", {})
    for mime, suffix in (("image/png", "png"), ("image/jpeg", "jpg")):
        if mime in data:
            return pictures.write(data[mime], suffix)
    if "text/html" in data:
        return data["text/html"]
    return f"<pre>{html.escape(data['text/plain'])}</pre>" if "text/plain" in data else ""


def outputs(cell, pictures):
    shown = "".join(output(one, pictures) for one in cell.outputs)
    return f'<div class="out">{shown}</div>' if shown.strip() else ""


def hole(exercise, cell):
    """The stub, then hints, then the solution, each behind a fold."""
    folds = ""
    for name, step in exercise["hints"]:
        folds += f"<details><summary>{html.escape(name)}</summary><p>{inline(step)}</p></details>"
    folds += f"<details><summary>The solution</summary>{code(cell.source)}</details>"
    return f'<section class="hole">{code(exercise["stub"])}{folds}</section>'


def title_of(notebook):
    for cell in notebook.cells:
        found = re.search(r"^# (.+)$", cell.source, re.M) if cell.cell_type == "markdown" else None
        if found:
            return found.group(1)
    return "Notebook"


def teaser(notebook):
    found = re.search(r"\*\*What it teaches\.\*\* ([^*]+?)(?=\n?\*\*|\n\n|$)", notebook.cells[0].source, re.S)
    return found.group(1).strip() if found else ""


def main():
    work = json.load(sys.stdin)
    out = Path(work["out"])
    pictures = Pictures(out)
    books = [(Path(path).stem, nbformat.read(path, as_version=4)) for path in work["notebooks"]]
    titles = [title_of(book) for _, book in books]
    for number, (name, book) in enumerate(books):
        body, seen = [], set()
        for cell in book.cells:
            if cell.cell_type == "markdown":
                body.append(markdown2html(cell.source).replace(' class="anchor-link"', " hidden"))
                continue
            exercise = work["exercises"].get(cell.get("id", ""))
            if exercise and cell.id not in seen:
                seen.add(cell.id)
                body.append(hole(exercise, cell))
            else:
                body.append(code(cell.source))
            body.append(outputs(cell, pictures))
        link = lambda i, arrow: f'<a href="{books[i][0]}.html">{arrow.format(html.escape(titles[i]))}</a>'
        before = link(number - 1, "← {}") if number else ""
        after = link(number + 1, "{} →") if number + 1 < len(books) else ""
        (out / f"{name}.html").write_text(page(titles[number], "\n".join(body), before, after), encoding="utf-8")
    items = "".join(
        f'<li><a href="{name}.html">{html.escape(title)}</a><br><span class="pale">{inline(teaser(book))}</span></li>'
        for (name, book), title in zip(books, titles))
    body = (
        "<h1>Vision and Language, step by step</h1><p>The notebooks of the course, solved and run. Where something is "
        "yours to write, the hints come first and the solution last, each behind a fold: open them one at a time.</p>"
        f'<ul class="pages">{items}</ul>')
    index = page("Vision and Language", body)
    (out / "index.html").write_text(re.sub(r"<nav.*?</nav>", "", index, flags=re.S), encoding="utf-8")
    (out / "style.css").write_text(STYLE + HtmlFormatter(style="friendly").get_style_defs(".highlight")
        .replace("background: #f0f0f0", "background: none"), encoding="utf-8")
    print(json.dumps({"pages": len(books) + 1, "pictures": pictures.count}))


main()
