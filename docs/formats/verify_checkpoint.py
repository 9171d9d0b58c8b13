"""Checks a checkpoint's signature with OpenSSL's command line alone: a second implementation, sharing no code of ours.

    python verify_checkpoint.py CHECKPOINT PUBLIC_KEY_BASE64

Needs `openssl` 1.1.1 or newer. Exit 0 and the size and root when the signature is right, 1 with the reason otherwise.
"""

import base64
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

# DER of a SubjectPublicKeyInfo for Ed25519 (RFC 8410), before the 32 bytes of the key.
SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")


def main() -> int:
    note = Path(sys.argv[1]).read_text(encoding="utf-8")
    key = base64.b64decode(sys.argv[2])
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    for line in signatures.splitlines():
        dash, name, encoded = line.split(" ")
        blob = base64.b64decode(encoded)
        wanted = hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]
        if (
            dash == "\u2014"
            and name == origin
            and blob[:4] == wanted
            and openssl_accepts(key, text.encode(), blob[4:])
        ):
            print(f"signed by {origin}: {size} entries, root {base64.b64decode(root).hex()}")
            return 0
    print("no signature of this key")
    return 1


def openssl_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    with tempfile.TemporaryDirectory() as directory:
        files = {"key.der": SPKI_PREFIX + key, "message": message, "signature": signature}
        for name, data in files.items():
            (Path(directory) / name).write_bytes(data)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin"]
        done = subprocess.run(
            [*command, "-in", "message", "-sigfile", "signature"], cwd=directory, capture_output=True, check=False
        )
        return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
