"""Files with layout → text: a module a format, each with `read(raw) -> Extracted`; `worker` runs them apart.

What is in the file and not in `Extracted.text` is only what no reader of the file sees (scripts, styles). What a reader
sees and is not the text (menus, running headers) is in it and `marked`, so that it can be shown, and kept.
"""
