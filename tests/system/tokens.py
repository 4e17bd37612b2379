# SPDX-License-Identifier: GPL-2.0-or-later
"""An identity provider of the tests' own: JWTs signed by the openssl command."""
import base64
import json
import os
import subprocess
import time

from cryptography.hazmat.primitives.asymmetric import ec


def ec_key():
    """A P-256 key whose numbers have their full length: PyJWT 2.6 leaves zeros at the front out, which RFC 7518 §6.2.1.2 forbids."""
    while True:
        key = ec.generate_private_key(ec.SECP256R1())
        numbers = key.private_numbers()
        if min(numbers.private_value, numbers.public_numbers.x, numbers.public_numbers.y) >> 248:
            return key


def altered(token):
    """The same with another character near its end."""
    at = len(token) - 8
    return token[:at] + ('A' if token[at] != 'A' else 'B') + token[at + 1:]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class JwtIssuer:
    """RS256 with a fresh key; certificate is a PEM file."""

    def __init__(self, folder, name, stem='issuer'):
        self.name = name
        self.key, self.certificate = os.path.join(folder, stem + '.key'), os.path.join(folder, stem + '.crt')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=' + stem, '-keyout', self.key,
                        '-out', self.certificate], check=True, capture_output=True)  # fmt: skip

    def token(self, header=None, **claims):
        """Claims that are None are left out."""
        now = int(time.time())
        body = {'iss': self.name, 'sub': 'robot-7', 'iat': now, 'exp': now + 3600, 'jti': os.urandom(8).hex(), **claims}
        body = {name: value for name, value in body.items() if value is not None}
        text = '.'.join(base64url(json.dumps(part).encode()) for part in (header or {'alg': 'RS256', 'typ': 'JWT'}, body))
        signed = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', self.key], input=text.encode(), check=True, capture_output=True).stdout
        return text + '.' + base64url(signed)
