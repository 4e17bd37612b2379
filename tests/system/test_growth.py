# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that is not lost but grows."""
import re

import flows
import harness


def resident(pid):
    with open('/proc/%d/smaps_rollup' % pid) as file:
        return int(re.search(r'^Pss_Anon:\s+(\d+)', file.read(), re.M).group(1))


def workers_of(pid):
    return [int(child) for child in harness.run('pgrep', '-P', str(pid)).stdout.split()]


def requests(gateway, count):
    for _ in range(count):
        flows.expect(gateway.get(flows.METADATA), 200)
        flows.expect(gateway.get(flows.SIGN_IN), 200)
        flows.expect(gateway.soap(flows.USERNAME['13'], flows.rst(gateway.base_url, realm='urn:unknown')), (400, 500))


def test_requests_do_not_grow_a_worker(make_gateway):
    gateway = make_gateway(nginx={'workers': 1})
    requests(gateway, 200)
    (worker,) = workers_of(gateway.nginx.pid())
    before = resident(worker)
    requests(gateway, 600)
    # 1800 requests: if it grew evenly, a hundred bytes of each
    assert resident(worker) - before < 180


def test_reloads_do_not_grow_the_master(make_gateway):
    gateway = make_gateway(nginx={'workers': 1})

    def reload(times):
        for _ in range(times):
            gateway.site.write('organisatoin = "x"\n')
            assert not gateway.nginx.reload()
            gateway.site.write()
            assert gateway.nginx.reload()
        return resident(gateway.nginx.pid())

    # the allocator's own share comes and goes: the highest of some readings, the lowest of others
    before = max(reload(10) for _ in range(4))
    # 30 reloads and 30 refused: less than 7 KiB of each pair stay, of some 100 KiB that a configuration takes
    assert min(reload(10) for _ in range(3)) - before < 200
