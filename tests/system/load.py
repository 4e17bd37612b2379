# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests from several threads while something else happens; every one is counted."""
import collections
import http.client
import ssl
import threading


class Load:
    """with Load(gateway, [request, ...]): each request is (method, path, body, headers, accepted(status, text), pause in s);
    each is sent by a thread of its own, again and again.

    Each request has a connection of its own: a client that keeps one must expect that the server closes it any time.
    """

    def __init__(self, gateway, requests):
        self.gateway = gateway
        self.context = ssl.create_default_context(cafile=gateway.authority.ca)
        self.counts, self.failures = collections.Counter(), []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=one) for one in requests]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _run(self, method, path, body, headers, accepted, pause):
        while not self.stopping.is_set():
            try:
                text = self._once(method, path, body() if callable(body) else body, headers, accepted)
            except Exception as error:  # whatever it is, a client lost its request
                text = repr(error)
            if text:
                self.failures.append('%s %s: %s' % (method, path, text))
            self.counts[path] += 1
            self.stopping.wait(pause)

    def _once(self, method, path, body, headers, accepted):
        connection = http.client.HTTPSConnection('localhost', self.gateway.port, context=self.context, timeout=30)
        try:
            connection.request(method, path, body, {'Connection': 'close', **headers})
            answer = connection.getresponse()
            text = answer.read().decode()
            return None if accepted(answer.status, text) else '%d %s' % (answer.status, text[:200])
        finally:
            connection.close()
