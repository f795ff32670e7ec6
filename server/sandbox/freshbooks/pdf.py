"""The smallest PDF that a viewer opens: one page of text for an invoice."""

from server.sandbox.freshbooks.invoice_view import due_date
from server.sandbox.freshbooks.money import plain, printed
from server.sandbox.freshbooks.state import Books, Row


def invoice_pdf(books: Books, row: Row) -> bytes:
    """The invoice's head, lines and total on one page."""
    code = row["currency_code"]
    total = printed(row["amount"], code, books.switches)["amount"]
    lines = [
        f"{books.name}: invoice {row['invoice_number']}",
        f"{row['organization'] or row['fname']}, {row['create_date']}, due {due_date(row)}",
        *(f"{plain(line['qty'])} x {line['name']}" for line in row["lines"]),
        f"Total {total} {code}",
    ]
    return _document(_page_text(lines))


def _page_text(lines: list[str]) -> bytes:
    shown = "\n".join(f"({_escaped(line)}) Tj T*" for line in lines)
    return f"BT /F1 12 Tf 16 TL 60 780 Td\n{shown}\nET".encode("latin-1", "replace")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _document(content: bytes) -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    start = out.rfind(b"xref\n0")
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
