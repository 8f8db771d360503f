"""A W&B server as far as W&B's own client needs one to log a run."""

import json
import re
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]

PROJECT = {"id": "p", "internalId": "1", "name": "alab", "entity": {"id": "e", "name": "me"}}


class WandbServer:
    """A server on a free local port, until `stop`.

    Attributes:
        environment: the variables that make W&B use it.
        history: of each run, by id: the lines that were logged, in order.
        artifacts: the names of the artifacts that were logged.
        dashboards: what each of them shows.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Json]] = defaultdict(list)
        self.artifacts: list[str] = []
        self.dashboards: list[Json] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer = json.dumps(server.answer(self.path, self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.environment = {
            "WANDB_BASE_URL": f"http://127.0.0.1:{self._http.server_port}",
            "WANDB_API_KEY": "k" * 40,
            "WANDB_ERROR_REPORTING": "false",
        }

    def stop(self) -> None:
        """Be gone: from now on connections are refused."""
        self._http.shutdown()
        self._http.server_close()

    def answer(self, path: str, body: bytes) -> Json:
        """Take new lines of a run's files, or answer a query."""
        content = json.loads(body)
        if stream := re.fullmatch(r"/files/me/alab/(\w+)/file_stream", path):
            if new := content.get("files", {}).get("wandb-history.jsonl"):
                self.history[stream[1]][new["offset"] :] = [json.loads(line) for line in new["content"]]
            return {}
        operation = re.search(r"(?:query|mutation)\s+(\w+)", content["query"])
        data = self._query(operation[1] if operation else "", content.get("variables") or {})
        return {"errors": [{"message": f"not served: {operation}"}]} if data is None else {"data": data}

    def _query(self, operation: str, variables: Json) -> Json | None:
        if operation == "Viewer":
            return {"viewer": {"id": "u", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}
        if operation == "RunResumeStatus":
            return {"model": self._resume_status(variables["name"])}
        if operation == "UpsertBucket":
            self.history[variables["name"]] += []
            bucket = {"id": "b", "name": variables["name"], "displayName": "", "config": "{}", "project": PROJECT}
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if operation == "CreateArtifact":
            self.artifacts.append(variables["input"]["artifactCollectionName"])
            committed = {"id": "a", "state": "COMMITTED", "artifactSequence": {"id": "s"}}  # so nothing is uploaded
            return {"createArtifact": {"artifact": committed}}
        if operation == "ArtifactByID":
            unknown = ("versionIndex", "description", "metadata", "historyStep", "commitHash", "updatedAt")
            known = {
                "id": "a", "artifactSequence": {"__typename": "ArtifactSequence", "name": "n", "project": PROJECT},
                "artifactType": {"name": "t"}, "ttlDurationSeconds": 0, "ttlIsInherited": True, "tags": [],
                "state": "COMMITTED", "size": 0, "digest": "", "fileCount": 1, "createdAt": "", "aliases": [],
            }  # fmt: skip
            return {"artifact": known | dict.fromkeys(unknown)}
        if operation == "UpsertView2":
            self.dashboards.append(json.loads(variables["spec"]))
            return {"upsertView": {"view": {"id": "v", "name": "nw-abc-v"}, "inserted": True}}
        return None

    def _resume_status(self, name: str) -> Json | None:
        if name not in self.history:
            return None
        lines = self.history[name]
        bucket = {
            "id": "b", "name": name, "displayName": name, "config": "{}", "tags": [], "wandbConfig": '{"t": 1}',
            "historyLineCount": len(lines), "historyTail": json.dumps([json.dumps(line) for line in lines[-1:]]),
            "eventsLineCount": 0, "eventsTail": "[]", "logLineCount": 0, "summaryMetrics": "{}",
        }  # fmt: skip
        return PROJECT | {"bucket": bucket}
