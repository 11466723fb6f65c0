"""Addresses that must never be connected to, and some that must. Strings alone: no test ever goes there."""


def words(text: str) -> list[str]:
    return text.split()


METADATA_NAMES = {"metadata.google.internal": ["169.254.169.254"], "metadata.azure.internal": ["168.63.129.16"]}

IPV4 = words("""
0.0.0.0 0.0.0.1 0.1.2.3 0.255.255.255 10.0.0.0 10.0.0.1 10.1.2.3 10.255.255.255 100.64.0.0 100.64.0.1 100.100.100.200
100.127.255.255 127.0.0.1 127.0.0.2 127.1.1.1 127.255.255.254 169.254.0.0 169.254.169.254 169.254.170.2 169.254.170.23
169.254.169.253 169.254.79.129 169.254.255.255 172.16.0.0 172.16.0.1 172.17.0.1 172.31.255.255 192.0.0.0 192.0.0.1
192.0.0.8 192.0.0.170 192.0.0.192 192.0.0.255 192.0.2.0 192.0.2.1 192.0.2.255 192.31.196.1 192.52.193.1 192.88.99.1
192.175.48.1 192.168.0.1 192.168.1.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 203.0.113.255
224.0.0.1 224.0.0.251 239.255.255.250 239.255.255.255 240.0.0.1 250.1.2.3 255.0.0.1 255.255.255.254 255.255.255.255
168.63.129.16
""")

IPV4_IN_DISGUISE = words("""
2130706433 017700000001 0x7f000001 0x7F000001 0x7f.1 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0177.0.0.1 0177.0.0.01 0177.1 127.1
127.0.1 127.0.0.01 127.00.0.1 127.000.000.001 0127.0.0.1 1.1.1.01 01.1.1.1 1.2.3 1.2 1 0 00 0x 0x0 8.8.8.0x8
3232235777 0xc0a80101 0300.0250.1.1 192.168.257 192.11010305 10.1 012.1 0xa9fea9fe 2852039166 025177524776
0251.0376.0251.0376 169.254.43518 0xa9.254.169.254 169.254.169.0xfe 256.1.1.1 127.0.0.256 1.1.1.1.1 127.0.0.1.0x1
4294967296 99999999999 127.0.0.1. 127.0.0. .127.0.0.1 127..0.1 a.b.1 example.0x7f example.127 8.8.8.8.
""")

IPV6 = words("""
:: ::1 ::2 ::7f00:1 ::a9fe:a9fe ::808:808 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:192.168.1.1
::ffff:0.0.0.0 ::ffff:224.0.0.1 ::ffff:100.64.0.1 ::ffff:168.63.129.16 ::ffff:0:7f00:1 ::ffff:0:808:808
64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b::a9fe:a9fe 64:ff9b::c0a8:101 64:ff9b:: 64:ff9b:1::808:808 64:ff9b:1::7f00:1
64:ff9b:1:fffe::a00:1 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:0:5ef5:79fd::1 2001:1::1
2001:2::1 2001:3::1 2001:4:112::1 2001:10::1 2001:20::1 2001:30::1 2001:1ff:ffff::1 2001:db8::1 2001:db8:ffff::1
2002:7f00:1::1 2002:a00:1::1 2002:a9fe:a9fe::1 2002:c0a8:101::1 2002:808:808::1 2002::1 2620:4f:8000::1 3ffe::1
3fff::1 3fff:fff::1 2606:4700::5efe:a00:1 2606:4700::5efe:7f00:1 2606:4700:0:0:200:5efe:c0a8:101
2a00:1450::5efe:a9fe:a9fe 4000::1 5f00::1 6000::1 8000::1 a000::1 e000::1 1::1 1fff:ffff::1 fc00::1 fd00::1
fd12:3456:789a::1 fd00:ec2::254 fd00:ec2::23 fd00:ec2::253 fd20:ce::254 fdff:ffff::1 fe80::1 fe80::5efe:a00:1 febf::1
fec0::1 feff::1 ff01::1 ff02::1 ff02::fb ff05::2 ff0e::1 ffff::1
""")

FORMS = [
    # other schemes, or none
    "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "javascript:alert(1)", "data:text/html,x",
    "ws://example.org/", "//example.org/", "example.org", "http:", "http:/", "http://", "https://", "http:example.org",
    "http:///example.org", "http:////example.org", "unix:///var/run/docker.sock", "http+unix://x/", " http://example.org/",
    "", "http", "://example.org", "h\u0442tp://example.org/", "http\uff1a//example.org/",
    # a user, or what looks like a host and is one
    "http://user@example.org/", "http://user:password@example.org/", "http://example.org@127.0.0.1/",
    "http://127.0.0.1@example.org/", "http://@example.org/", "http://:@example.org/", "http://example.org:80@127.0.0.1/",
    "http://example.org%40127.0.0.1/", "http://example.org;@127.0.0.1/",
    # fragments, escapes, backslashes
    "http://example.org/#", "http://example.org/#x", "http://example.org#@127.0.0.1/", "http://example.org/%2e%2e/",
    "http://%31%32%37.0.0.1/", "http://127.0.0.1%2f.example.org/", "http://example.org%00.local/", "http://exa%6dple.org/",
    "http:\\\\127.0.0.1\\", "http://example.org\\@127.0.0.1/", "http://127.0.0.1\\.example.org/",
    "http:/\\example.org/", "http://example.org/\\x",
    # control characters and blanks
    "http://example.org/\r\nHost: x", "http://example.org/\n", "http://example.org\n", "\nhttp://example.org/",
    "http://example.org/\x00", "http://exam\tple.org/", "http://example.org /", "http://example.org/a b",
    "ht\ntp://x.org/",
    "http://example.org/\x7f", "http://example.org/\u2028", "http://example.org/\u00a0", "http://127.0.0.1 .a.org/",
    # names that are no names, and letters that are read as others
    "http://example.org./", "http://localhost./", "http://example..org/", "http://.example.org/", "http://-a.example.org/",
    "http://a-.example.org/", "http://exa!mple.org/", "http://exa,mple.org/", "http://*/", "http://$(id)/", "http://a:b/",
    "http://\u2460\u2461\u2466.0.0.1/", "http://\uff11\uff12\uff17.0.0.1/", "http://127\u30020\u30020\u30021/",
    "http://127\uff0e0\uff0e0\uff0e1/", "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    "http://loca\u017fhost/", "http://localho\ufb06/", "http://\uff4cocalhost/", "http://ex\u0430mple.org/",
    "http://fa\u00df.de/", "http://exa\u200bmple.org/", "http://exa\u00admple.org/", "http://example\u2024org/",
    "http://\u0661\u0662\u0667.0.0.1/", "http://\u4f8b\u3048.jp/", "http://example.org\uff0f@127.0.0.1/",
    "http://example.org\u2100.x/", "http://" + "a" * 64 + ".org/", "http://" + "a." * 127 + "org/",
    # ports
    "http://example.org:0/", "http://example.org:65536/", "http://example.org:99999/", "http://example.org:-1/",
    "http://example.org:080/", "http://example.org:8o/", "http://example.org:/", "http://example.org:80:80/",
    "http://example.org:\uff18\uff10/", "http://example.org:+80/", "http://example.org: 80/", "http://example.org:0x50/",
    # IPv6 with zones, or not in its shortest form
    "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1%25lo]/", "http://[2606:4700:0:0:0:0:0:1111]/",
    "http://[2606:4700::0001]/", "http://[::127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::1", "http://::1/",
    "http://[::1]x/", "http://x[::1]/", "http://[]/", "http://[1]/", "http://[::g]/", "http://[127.0.0.1]/",
    "http://[v1.a]/", "http://[::1].example.org/", "http://[[::1]]/", "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    # paths
    "http://example.org/../", "http://example.org/./", "http://example.org/a/../b", "http://example.org/a/..",
    "http://example.org//", "http://example.org//x", "http://example.org/a//b", "http://example.org/" + "a" * 2048,
    "http://example.org/\u00e9", "http://example.org/<script>", 'http://example.org/"', "http://example.org/{x}",
]  # fmt: skip
"""Not canonical: refused before anything is resolved."""

QUERIES = ["http://example.org/?", "http://example.org/?a=1", "http://example.org?a=1", "https://example.org/x?y=z"]
"""Refused in a base address."""

BAD_QUERIES = [
    "http://example.org/?%", "http://example.org/?a=%zz", "http://example.org/?a=1#x", "http://example.org/?a b",
    "http://example.org/?\u00e9", "http://example.org/?a\\b", "http://example.org/?\r\nX: y",
]  # fmt: skip

MIXED = [
    ["1.1.1.1", "127.0.0.1"], ["127.0.0.1", "1.1.1.1"], ["1.1.1.1", "10.0.0.1", "8.8.8.8"], ["1.1.1.1", "::1"],
    ["2606:4700::1111", "127.0.0.1"], ["2606:4700::1111", "fe80::1%eth0"], ["1.1.1.1"] * 20 + ["169.254.169.254"],
    ["1.1.1.1", "::ffff:127.0.0.1"], ["1.1.1.1", "0.0.0.0"], ["8.8.8.8", "not an address"], ["8.8.8.8", ""],
    ["8.8.8.8", "1.1.1"], ["2606:4700::1111%1"], ["8.8.8.8", "2002:7f00:1::1"],
]  # fmt: skip
"""What a name may resolve to: one bad answer among good ones is enough."""

GOOD = [
    "http://1.1.1.1/", "https://8.8.8.8", "http://9.9.9.9:9696/prowlarr", "http://100.63.255.255/", "http://100.128.0.0/",
    "http://172.15.255.255/", "http://172.32.0.0/", "http://126.255.255.255/", "http://128.0.0.1/", "http://11.0.0.0/",
    "http://192.0.1.1/", "http://192.167.255.255/", "http://192.169.0.0/", "http://198.17.255.255/", "http://198.20.0.0/",
    "http://223.255.255.255/", "http://169.253.255.255/", "http://169.255.0.0/", "https://[2606:4700:4700::1111]/",
    "https://[2001:4860:4860::8888]:8443/x", "https://[2a00:1450:4001::1]/", "https://[::ffff:8.8.8.8]/",
    "https://[64:ff9b::808:808]/", "https://[2606:4700::5efe:808:808]/", "https://[2001:200::1]/", "https://[3fff:1000::1]/",
]  # fmt: skip

GOOD_NAMES = {
    "https://prowlarr.example.org": ["1.1.1.1"],
    "https://prowlarr.example.org/": ["1.1.1.1", "2606:4700:4700::1111"],
    "HTTPS://Prowlarr.Example.ORG:8443/prowlarr/": ["93.184.215.14"],
    "http://xn--fa-hia.de/": ["8.8.4.4"],
    "http://my_nas.example.net:9696": ["208.67.222.222"],
    "https://a-b.c-d.example/x/y.z~/_-/:@!$&'()*+,;=": ["2a00:1450:4001::1"],
    "https://1password.example/": ["1.0.0.1"],
    "https://0x7f.example/": ["1.0.0.1"],
    "http://prowlarr": ["9.9.9.9"],
}

AT_HOME = ["127.0.0.1", "127.1.2.3", "10.0.0.5", "172.16.0.1", "172.31.255.255", "192.168.1.20", "::1", "fd12:3456::1",
           "fc00::1", "::ffff:192.168.1.20", "::ffff:127.0.0.1"]  # fmt: skip
"""Let through by a deployment that allows private addresses, and by no other."""
