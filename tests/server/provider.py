"""A login provider of a few lines (OpenID Connect, code flow) that says who logs in without asking.

with provider({"email": "clara@example.org", "email_verified": True}) as issuer:
    ...      # issuer: http://127.0.0.1:PORT, its metadata under /.well-known/openid-configuration
"""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "cxr", "a secret between the dashboard and this provider"


@contextmanager
def provider(claims: dict[str, Any]) -> Iterator[str]:
    """``claims`` may be changed while it runs; ``iat`` among them stands for the time of the login."""
    key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
    nonces: dict[str, str] = {}

    class Answer(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        @property
        def issuer(self) -> str:
            return f"http://127.0.0.1:{self.connection.getsockname()[1]}"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            if asked.path == "/.well-known/openid-configuration":
                places = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token")}
                self.say({"issuer": self.issuer, **places, "jwks_uri": f"{self.issuer}/keys"})
            elif asked.path == "/keys":
                self.say({"keys": [key.as_dict(private=False)]})
            elif asked.path == "/authorization":
                code = secrets.token_hex(8)
                nonces[code] = query["nonce"]
                self.send_response(302)
                back = urlencode({"code": code, "state": query["state"]})
                self.send_header("Location", f"{query['redirect_uri']}?{back}")
                self.end_headers()
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            given = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            nonce = nonces.pop(form["code"][0], None)
            if self.headers["Authorization"] != f"Basic {given}" or nonce is None:
                self.send_error(401)
                return
            now = int(time.time())
            said = {"iss": self.issuer, "aud": CLIENT, "sub": "42", "iat": now, "exp": now + 3600, "nonce": nonce}
            token = jwt.encode({"alg": "RS256", "kid": "1"}, {**said, **claims}, key)
            self.say({"access_token": "x", "token_type": "Bearer", "expires_in": 3600, "id_token": token})

        def say(self, document: dict[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
