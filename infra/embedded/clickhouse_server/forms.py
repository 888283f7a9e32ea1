"""multipart/form-data, as clients use it for long statements and parameters. File parts are external data: refused."""

from email.message import Message
from email.parser import BytesHeaderParser

from infra.embedded.clickhouse_server.errors import bad_argument
from infra.embedded.clickhouse_server.refusals import Refused, refusal


def form_boundary(content_type: str) -> bytes | None:
    """The boundary of a multipart form, or None if the body is something else.

    Raises:
        ClickHouseError: if it is a form without a boundary.
    """
    message = Message()
    message["Content-Type"] = content_type
    if message.get_content_type() != "multipart/form-data":
        return None
    boundary = message.get_boundary()
    if not boundary:
        raise bad_argument("The multipart form has no boundary")
    return boundary.encode()


def read_form(body: bytes, boundary: bytes) -> list[tuple[str, str]]:
    """The fields of a form, in order; text parts only.

    Raises:
        ClickHouseError: if the form cannot be read or has a file.
    """
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        raise bad_argument("The multipart form is not whole")
    fields = []
    for section in sections[1:-1]:
        head, separator, value = section.partition(b"\r\n\r\n")
        headers = BytesHeaderParser().parsebytes(head.lstrip() + b"\r\n\r\n")
        name = headers.get_param("name", header="content-disposition")
        if not separator or not isinstance(name, str):
            raise bad_argument("A part of the multipart form has no name")
        if headers.get_filename() is not None:
            raise refusal(Refused.EXTERNAL_DATA)
        try:
            fields.append((name, value.decode()))
        except UnicodeDecodeError as error:
            raise bad_argument("A field of the multipart form is not UTF-8") from error
    return fields
