# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes bad sign-in responses out of good ones: changes them, and signs again as an attacker or as a careless issuer would.

Signing is done here by hand (lxml canonicalises, python-cryptography signs), so that every part of a signature can be wrong.
"""
import base64
import copy
import glob
import hashlib
import hmac
import os
import re
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from lxml import etree

DS = 'http://www.w3.org/2000/09/xmldsig#'
MORE = 'http://www.w3.org/2001/04/xmldsig-more#'
EXC = 'http://www.w3.org/2001/10/xml-exc-c14n#'
SAML1 = 'urn:oasis:names:tc:SAML:1.0:assertion'
SAML2 = 'urn:oasis:names:tc:SAML:2.0:assertion'
ENVELOPED = DS + 'enveloped-signature'
RSA256 = MORE + 'rsa-sha256'
SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
HASHES = {RSA256: hashes.SHA256, DS + 'rsa-sha1': hashes.SHA1, MORE + 'rsa-md5': hashes.MD5, MORE + 'ecdsa-sha256': hashes.SHA256}
DIGESTS = {SHA256: 'sha256', DS + 'sha1': 'sha1', MORE + 'md5': 'md5'}


def ds(name):
    return '{%s}%s' % (DS, name)


def b64(data):
    return base64.b64encode(data).decode()


def canonical(element):
    one = copy.deepcopy(element)
    one.tail = None
    return etree.tostring(one, method='c14n', exclusive=True, with_comments=False)


def gateway_key(gateway, certificate_pem):
    """The gateway's own signing key, read from its folder."""
    with open(certificate_pem, 'rb') as file:
        public = x509.load_pem_x509_certificate(file.read()).public_key().public_numbers()
    for path in glob.glob(os.path.join(gateway.site.folder, 'state', '**'), recursive=True):
        if os.path.isfile(path):
            with open(path, 'rb') as file:
                found = re.search(rb'-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----\n', file.read(), re.S)
            key = found and serialization.load_pem_private_key(found.group(0), None)
            if key and key.public_key().public_numbers() == public:
                return key
    raise AssertionError('no signing key in the state folder')


class Response:
    """A wresult as a tree."""

    def __init__(self, wresult):
        self.root = etree.fromstring(wresult.encode())
        self.assertion = next(self.root.iter('{%s}Assertion' % SAML1, '{%s}Assertion' % SAML2))
        self.ns = etree.QName(self.assertion).namespace
        self.id_name = 'ID' if self.ns == SAML2 else 'AssertionID'
        self.key = None
        self.rename()

    def copy(self):
        return copy.deepcopy(self)

    def __deepcopy__(self, memo):
        made = object.__new__(Response)
        made.root = copy.deepcopy(self.root)
        made.assertion = next(made.root.iter(self.assertion.tag))
        made.ns, made.id_name, made.key = self.ns, self.id_name, self.key
        return made

    @property
    def id(self):
        return self.assertion.get(self.id_name)

    def rename(self):
        self.assertion.set(self.id_name, '_' + uuid.uuid4().hex)

    def find(self, name):
        return next(self.assertion.iter('{%s}%s' % (self.ns, name)))

    def make(self, parent, name, text=None, **attributes):
        made = etree.SubElement(parent, name if name.startswith('{') else '{%s}%s' % (self.ns, name), attributes)
        made.text = text
        return made

    def signature(self):
        return self.assertion.find(ds('Signature'))

    def text(self):
        """As it is sent."""
        return etree.tostring(self.root).decode()

    def drop_signature(self):
        old = self.signature()
        if old is None:
            return len(self.assertion) if self.ns == SAML1 else 1
        at = self.assertion.index(old)
        self.assertion.remove(old)
        return at

    def sign(self, key=None, method=RSA256, digest=SHA256, edit=None, key_info='', signer=None, uri=None, canonicaliser=None):
        """Signs anew. edit(signed_info) changes what is signed; signer(key, bytes) makes the SignatureValue."""
        at = self.drop_signature()
        value = b64(hashlib.new(DIGESTS[digest], (canonicaliser or canonical)(self.assertion)).digest())
        signature = etree.fromstring(
            f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXC}"/>'
            f'<ds:SignatureMethod Algorithm="{method}"/><ds:Reference URI="{"#" + self.id if uri is None else uri}"><ds:Transforms>'
            f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXC}"/></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue>{value}</ds:DigestValue></ds:Reference></ds:SignedInfo>'
            f'<ds:SignatureValue/>{key_info and "<ds:KeyInfo>" + key_info + "</ds:KeyInfo>"}</ds:Signature>'
        )
        self.assertion.insert(at, signature)
        if edit:
            edit(signature[0])
        made = (signer or sign_bytes)(key or self.key, canonical(signature[0]), method)
        signature.find(ds('SignatureValue')).text = b64(made)
        return self


def sign_bytes(key, data, method=RSA256):
    algorithm = HASHES.get(method, hashes.SHA256)()
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), algorithm)
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(algorithm)))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, 'big') + s.to_bytes(size, 'big')


def sign_loosely(key, data, _):
    """PKCS#1 1.5 padding that is too short, with something behind the digest (XS-27)."""
    prefix = bytes.fromhex('3031300d060960864801650304020105000420')
    size = key.key_size // 8
    block = b'\0\1' + b'\xff' * 8 + b'\0' + prefix + hashlib.sha256(data).digest()
    numbers = key.private_numbers()
    block += b'\x55' * (size - len(block))
    return pow(int.from_bytes(block, 'big'), numbers.d, numbers.public_numbers.n).to_bytes(size, 'big')


def sign_hmac(secret):
    return lambda key, data, method: hmac.new(secret, data, hashlib.sha256).digest()


def foreign_rsa(bits=2048):
    return rsa.generate_private_key(65537, bits)


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_value(key):
    """ds:KeyValue."""
    numbers = key.public_key().public_numbers()
    size = key.key_size // 8
    return (f'<ds:KeyValue xmlns:ds="{DS}"><ds:RSAKeyValue><ds:Modulus>{b64(numbers.n.to_bytes(size, "big"))}</ds:Modulus>'
            f'<ds:Exponent>{b64(numbers.e.to_bytes(3, "big"))}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>')  # fmt: skip


def x509_data(certificate_pem):
    with open(certificate_pem) as file:
        body = re.sub(r'-----[^-]+-----|\s', '', file.read())
    return f'<ds:X509Data xmlns:ds="{DS}"><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data>'
