"""An S3 on loopback (moto's server, a process of its own) and buckets with Object Lock."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from kulla.mirror.testkit import free_port

# moto takes any; boto3 insists on some.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "mirror",
    "AWS_SECRET_ACCESS_KEY": "mirror",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def s3() -> Iterator[str]:
    """Run an S3 as long as the block lasts; gives its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | CREDENTIALS,
    )
    try:
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def client(address: str) -> Any:
    """The same client as a thief of the mirror's credentials would use."""
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="eu-central-1",
        aws_access_key_id="mirror",
        aws_secret_access_key="mirror",
    )


def make_bucket(address: str, name: str, *, lock: bool = True) -> dict[str, Any]:
    """Make a bucket; gives the section `store` for it."""
    thief = client(address)
    thief.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        ObjectLockEnabledForBucket=lock,
    )
    thief.close()
    return {"kind": "s3", "bucket": name, "endpoint": address, "region": "eu-central-1", "retention_days": 30}
