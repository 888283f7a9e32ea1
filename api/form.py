"""The multipart form of a clip search: `file` and `request_id`, each at most once, and nothing else."""

from typing import NamedTuple

from litestar.datastructures import UploadFile
from litestar.exceptions import HTTPException

from api.envelope import AnyRequest, ApiError
from api.selfie import too_large
from api.settings import SelfieLimits
from schemas.ids import canonical_request_id

# What the form adds around the file: boundaries, headers of two parts, an id.
FORM_OVERHEAD_BYTES = 16 * 1024
FORM_PARTS = 2


class SearchForm(NamedTuple):
    """What was sent."""

    file: bytes | None
    request_id: str | None


async def read_search_form(request: AnyRequest, limits: SelfieLimits) -> SearchForm:
    """Read the form; the body's size is limited by the route, its file by `limits`.

    Raises:
        ApiError: 400 for anything but such a form, 413 for a file over the limit.
    """
    try:
        # First the whole body, within the route's limit: a form that breaks off half-way would leave a file open.
        await request.body()
        form = await request.form()
    except (UnicodeDecodeError, LookupError) as error:
        raise ApiError(400, "the form holds text that is not UTF-8") from error
    except HTTPException as error:
        if error.status_code == 413:
            raise too_large(limits) from error
        raise ApiError(
            400, "the form cannot be read; send multipart/form-data with file, request_id or both"
        ) from error
    values = {name: form.getall(name) for name in form}
    if not values.keys() <= {"file", "request_id"}:
        raise ApiError(400, "the form may hold file and request_id only")
    if any(len(each) > 1 for each in values.values()):
        raise ApiError(400, "the form may hold file and request_id once each")
    request_id = _request_id(values["request_id"][0]) if "request_id" in values else None
    return SearchForm(await _file(values["file"][0], limits) if "file" in values else None, request_id)


def _request_id(value: object) -> str:
    if not isinstance(value, str):
        raise ApiError(400, "request_id must be a text field, not a file")
    return parse_request_id(value)


def parse_request_id(text: str) -> str:
    """A request id in its one spelling. Raises ApiError 400 when it is no UUID."""
    try:
        return canonical_request_id(text)
    except ValueError as error:
        raise ApiError(400, "request_id is not a valid UUID") from error


async def _file(value: object, limits: SelfieLimits) -> bytes:
    if not isinstance(value, UploadFile):
        sentence = "the selfie file is empty" if not value else "send the selfie as a file, with a file name"
        raise ApiError(400, sentence)
    data = await value.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        raise too_large(limits)
    return data
