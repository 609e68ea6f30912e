"""HTML as a list of tags, for tests: it must be well-formed."""

from __future__ import annotations

import html.parser

VOID = {"meta", "link", "br", "path", "rect"}


class Reader(html.parser.HTMLParser):
    """The tree as (tag, attributes) in order, with a check that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
