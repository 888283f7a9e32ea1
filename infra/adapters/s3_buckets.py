"""The two buckets, both private, with the rules for what is left behind and who may read by script."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

import httpx
import urllib3
from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.credentials.credentials import Credentials
from minio.error import MinioException, S3Error
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, LifecycleConfig, Rule
from minio.signer import presign_v4

from infra.adapters.change import Change, ProvisionError
from infra.adapters.settings import S3Settings

_ANSWER_WITHIN_S = 10.0
_UNFINISHED = "spotclip-unfinished-uploads"
# A process that is killed while it uploads leaves parts that nobody sees and everybody pays for; a day is longer than
# any upload.
_UNFINISHED_DAYS = 1


class S3Buckets:
    """Looks at the store's buckets and changes them."""

    def __init__(self, settings: S3Settings, public_base: str) -> None:
        self._settings = settings
        site = urlsplit(public_base)
        self._origin = f"{site.scheme}://{site.netloc}"
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(_ANSWER_WITHIN_S), retries=urllib3.Retry(2, backoff_factor=0.2)
        )
        self._minio = Minio(
            settings.endpoint,
            access_key=settings.access_key,
            secret_key=settings.secret_key,
            secure=settings.secure,
            region=settings.region,
            http_client=self._pool,
        )

    def provision(self) -> list[Change]:
        """Make both buckets and their rules.

        Raises:
            ProvisionError: No answer, refused, or a bucket that anybody may read.
        """
        changes: list[Change] = []
        with self._pool:  # closes its connections; a repeat opens new ones
            for bucket in (self._settings.private_bucket, self._settings.public_bucket):
                with _translated(bucket):
                    changes.extend(self._bucket(bucket))
        return changes

    def _bucket(self, bucket: str) -> Iterator[Change]:
        if not self._minio.bucket_exists(bucket):
            self._minio.make_bucket(bucket, self._settings.region)
            yield Change(f"bucket {bucket}", "created")
        self._refuse_policy(bucket)
        if self._forgets_unfinished(bucket):
            yield Change(f"bucket {bucket}", f"forgets unfinished uploads after {_UNFINISHED_DAYS} day")
        if self._lets_in_our_pages(bucket):
            yield Change(f"bucket {bucket}", f"lets pages of {self._origin} read signed addresses")

    def _refuse_policy(self, bucket: str) -> None:
        """Clips are public through the API, which knows what was erased; a policy would open them past it."""
        try:
            policy = self._minio.get_bucket_policy(bucket)
        except S3Error as error:
            if error.code == "NoSuchBucketPolicy":
                return
            raise
        if policy:
            raise ProvisionError(f"The bucket {bucket} has a policy of its own; remove it, the API lets people in.")

    def _forgets_unfinished(self, bucket: str) -> bool:
        found = self._minio.get_bucket_lifecycle(bucket)
        rules = list(found.rules) if found is not None else []
        wanted = AbortIncompleteMultipartUpload(days_after_initiation=_UNFINISHED_DAYS)
        if any(rule.rule_id == _UNFINISHED and rule.abort_incomplete_multipart_upload == wanted for rule in rules):
            return False
        # Rules that an operator made stay.
        kept = [rule for rule in rules if rule.rule_id != _UNFINISHED]
        ours = Rule(
            ENABLED,
            rule_filter=Filter(prefix=""),
            rule_id=_UNFINISHED,
            abort_incomplete_multipart_upload=wanted,
        )
        self._minio.set_bucket_lifecycle(bucket, LifecycleConfig([*kept, ours]))
        return True

    def _lets_in_our_pages(self, bucket: str) -> bool:
        """Without a rule some stores answer to every origin. The SDK has no call for it."""
        wanted = (
            "<CORSConfiguration><CORSRule>"
            f"<AllowedOrigin>{self._origin}</AllowedOrigin>"
            "<AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>"
            "<ExposeHeader>Content-Range</ExposeHeader><ExposeHeader>ETag</ExposeHeader>"
            "<MaxAgeSeconds>3600</MaxAgeSeconds>"
            "</CORSRule></CORSConfiguration>"
        )
        there = self._cors("GET", bucket)
        if there.is_success and there.text.count("<AllowedOrigin>") == 1 and f">{self._origin}<" in there.text:
            return False
        if there.is_error and there.status_code != httpx.codes.NOT_FOUND:
            raise ProvisionError(f"The bucket {bucket} does not tell its CORS rules (status {there.status_code}).")
        stored = self._cors("PUT", bucket, wanted.encode())
        if stored.is_error:
            raise ProvisionError(f"The bucket {bucket} took no CORS rule (status {stored.status_code}).")
        return True

    def _cors(self, method: str, bucket: str, body: bytes = b"") -> httpx.Response:
        secure = self._settings.secure
        url = presign_v4(
            method=method,
            url=SplitResult(
                "https" if secure else "http",
                self._settings.endpoint.removesuffix(":443" if secure else ":80"),
                f"/{bucket}",
                "cors=",
                "",
            ),
            region=self._settings.region,
            credentials=Credentials(self._settings.access_key, self._settings.secret_key),
            date=datetime.now(UTC),
            expires=60,
        )
        # S3 demands the digest of this one kind of body.
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        return httpx.request(
            method,
            url.geturl(),
            content=body,
            headers={"content-md5": digest},
            timeout=_ANSWER_WITHIN_S,
            trust_env=False,
        )


@contextmanager
def _translated(bucket: str) -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        raise ProvisionError(f"The object store refused to provision the bucket {bucket} ({error.code}).") from error
    except (MinioException, urllib3.exceptions.HTTPError, httpx.HTTPError, OSError) as error:
        raise ProvisionError("The object store did not answer; check that it runs and SPOTCLIP_S3_ENDPOINT.") from error
