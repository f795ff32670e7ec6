"""Twenty connections that post as fast as they are answered, and how long each answer took."""

import http.client
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import perf_counter
from urllib.parse import urlsplit

CONNECTIONS = 20
FORM = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "amoCRM-Webhooks/3.0"}


@dataclass(frozen=True)
class Post:
    url: str
    body: bytes


def post_all(posts: Sequence[Post]) -> list[float]:
    """Seconds of each. Raises RuntimeError when one is not answered 2xx."""
    waiting: SimpleQueue[Post] = SimpleQueue()
    for one in posts:
        waiting.put(one)
    took: list[float] = []
    wrong: list[str] = []
    threads = [
        threading.Thread(target=_post, args=(waiting, took, wrong)) for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(f"{len(wrong)} posts failed: {wrong[0]}")
    return took


def _post(waiting: "SimpleQueue[Post]", took: list[float], wrong: list[str]) -> None:
    link: http.client.HTTPConnection | None = None
    try:
        while True:
            one = waiting.get_nowait()
            parts = urlsplit(one.url)
            link = link or http.client.HTTPConnection(parts.netloc, timeout=30)
            began = perf_counter()
            link.request("POST", parts.path, one.body, FORM)
            answer = link.getresponse()
            answer.read()
            took.append(perf_counter() - began)
            if answer.status // 100 != 2:
                wrong.append(str(answer.status))
    except Empty:
        pass
    except OSError as error:
        wrong.append(repr(error))
    finally:
        if link is not None:
            link.close()


def stage_hook(url: str, kommo_id: int, deal_id: int, place: tuple[int, int]) -> Post:
    """What Kommo posts when a deal enters a stage."""
    at = "leads%5Bstatus%5D%5B0%5D%5B{}%5D={}"
    named = {
        "id": deal_id, "name": "Order", "status_id": place[1], "old_status_id": 1, "price": 250,
        "responsible_user_id": 7, "last_modified": 0, "modified_user_id": 7, "created_user_id": 7,
        "date_create": 0, "pipeline_id": place[0], "account_id": kommo_id, "created_at": 0,
        "updated_at": 0,
    }  # fmt: skip
    head = f"account%5Bsubdomain%5D=bench&account%5Bid%5D={kommo_id}&"
    return Post(url, (head + "&".join(at.format(k, v) for k, v in named.items())).encode())
