"""A client for language servers over stdio: what an editor says to one, and what it hears."""

import json
import queue
import subprocess
from collections.abc import Callable, Sequence
from threading import Thread
from typing import IO, Any

from support.waiting import PATIENCE

Message = dict[str, Any]


class Client:
    """A language server's other side: requests are answered in order, what the server tells is kept."""

    def __init__(self, command: Sequence[str], answers: dict[str, Callable[[Any], Any]] | None = None) -> None:
        """Start a server.

        Args:
            answers: what to answer when the server asks something itself, by method; otherwise nothing.
        """
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers = answers or {}
        self._heard: queue.Queue[Message | None] = queue.Queue()
        self._count = 0
        self.told: list[Message] = []
        """The server's notifications, in order."""
        Thread(target=self._listen, daemon=True).start()

    def request(self, method: str, parameters: Any) -> Any:
        """Ask the server something, and wait for the answer."""
        self._count += 1
        number = self._count
        self._send({"id": number, "method": method, "params": parameters})
        answer = self._until(lambda message: message.get("id") == number and "method" not in message)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def notify(self, method: str, parameters: Any) -> None:
        """Tell the server something."""
        self._send({"method": method, "params": parameters})

    def wait_for(self, is_it: Callable[[Message], bool]) -> Message:
        """The first notification of a kind, whether it has come already or not; it is not found again."""
        found = next((message for message in self.told if is_it(message)), None)
        found = found or self._until(lambda message: "method" in message and is_it(message))
        self.told.remove(found)
        return found

    def stop(self) -> None:
        """End the server as an editor does, and see that it goes."""
        self.request("shutdown", None)
        self.notify("exit", None)
        self._process.wait(PATIENCE)

    def _until(self, is_it: Callable[[Message], bool]) -> Message:
        while True:
            message = self._heard.get(timeout=PATIENCE)
            assert message is not None, "the server has ended"
            if "method" in message and "id" in message:
                answer = self._answers.get(message["method"], lambda _: None)
                self._send({"id": message["id"], "result": answer(message["params"])})
            elif "method" in message:
                self.told.append(message)
            if is_it(message):
                return message

    def _send(self, message: Message) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while (message := _read(self._process.stdout)) is not None:
            self._heard.put(message)
        self._heard.put(None)


def _read(stream: IO[bytes]) -> Message | None:
    """The next message; None at the end."""
    length = 0
    while (line := stream.readline()).strip():
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    content = stream.read(length) if length else b""
    return json.loads(content) if content else None
