"""Verifies webhooks with the Python standardwebhooks, another implementation than the one that signs them.

argv[1] is JSON: calls, each with secrets (name to secret), body (as it came) and headers. A line of JSON a case.
"""

import json
import sys

from standardwebhooks import Webhook

for call in json.loads(sys.argv[1]):
    for name, secret in call["secrets"].items():
        for kind, body in (("as it came", call["body"]), ("changed", call["body"].replace("endpoint.test", "endpoint.tess"))):
            try:
                seen = {"verified": True, "type": Webhook(secret).verify(body, call["headers"])["type"]}
            except Exception as error:
                seen = {"verified": False, "error": type(error).__name__}
            print(json.dumps({"call": call["name"], "secret": name, "body": kind, "seen": seen}), flush=True)
