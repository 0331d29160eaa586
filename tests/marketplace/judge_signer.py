"""python-tuf as a client of what Deskhand signs.

Reads requests as JSON lines and answers each with a line: refresh from a folder as the client of a metadata folder,
and download targets. The marketplace is read from the folder itself, through python-tuf's own interface for that.
"""

import hashlib
import json
import os
import sys
from urllib.parse import unquote, urlparse

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater


class FolderFetcher(FetcherInterface):
    def __init__(self, folder):
        self.folder = folder

    def _fetch(self, url):
        path = os.path.join(self.folder, unquote(urlparse(url).path).lstrip("/"))
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            raise DownloadHTTPError(f"{path} is missing", 404) from None
        yield data


def answer(request):
    metadata = os.path.join(request["client"], "metadata")
    targets = os.path.join(request["client"], "targets")
    os.makedirs(targets, exist_ok=True)
    with open(request["root"], "rb") as file:
        root = file.read()
    updater = Updater(
        metadata,
        "https://market.example/metadata/",
        targets,
        "https://market.example/targets/",
        FolderFetcher(request["folder"]),
        bootstrap=root,
    )
    updater.refresh()
    digests = {}
    for index, path in enumerate(request["targets"]):
        info = updater.get_targetinfo(path)
        if info is None:
            raise LookupError(f"{path} is not offered")
        file = updater.download_target(info, os.path.join(targets, str(index)))
        with open(file, "rb") as data:
            digests[path] = hashlib.sha256(data.read()).hexdigest()
    versions = {}
    for role in ["root", "targets", "snapshot", "timestamp"]:
        with open(os.path.join(metadata, role + ".json"), "rb") as file:
            versions[role] = json.load(file)["signed"]["version"]
    return {"versions": versions, "digests": digests}


for line in sys.stdin:
    try:
        result = answer(json.loads(line))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the verdict)
        result = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(result), flush=True)
