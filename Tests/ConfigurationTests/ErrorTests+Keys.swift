/// Keys, none of which is ever repeated.
extension ErrorTests {
    private static let inline =
        "a secret key never stands in this file: put it in a file of its own with mode 0600, and write { file: PATH }"

    static let keys = [
        Case(
            "a private key in the file", "fullbore: 1\ninterfaces: { wg0: { private-key: \(key1) } }\n",
            """
            router.yaml:2:35: \(inline)
            interfaces: { wg0: { private-key: *********************************************} }
                                              ^
            """),
        Case(
            "a preshared key in the file, cut short", peer("preshared-key: hP8short"),
            """
            router.yaml:9:24: \(inline)
                    preshared-key: ********
                                   ^
            """),
        Case(
            "a private key under a misspelt name", interface("privatekey: hP8short"),
            """
            router.yaml:5:5: unknown key 'privatekey' (did you mean 'private-key'?)
                privatekey: ********
                ^
            """),
        Case(
            "a private key in the wrong place", peer("endpoint: \(key2)"),
            """
            router.yaml:9:19: expected an endpoint such as vpn.example.net:51820 or [2001:db8::1]:51820, found \
            '\(String(repeating: "*", count: 44))': the port is missing
                    endpoint: \(String(repeating: "*", count: 44))
                              ^
            """),
        Case(
            "a public key that is none", interface("peers: { a: { public-key: AQEB } }"),
            """
            router.yaml:5:31: this is not a public key: that is 44 characters of base64, as wg prints it
                peers: { a: { public-key: AQEB } }
                                          ^
            """),
        Case(
            "a public key of zeros", interface("peers: { a: { public-key: \(String(repeating: "A", count: 43))= } }"),
            """
            router.yaml:5:31: this public key is all zeros, which is nobody's
                peers: { a: { public-key: ******************************************** } }
                                          ^
            """),
        Case(
            "a key from two places", "fullbore: 1\ninterfaces: { wg0: { private-key: { file: a, credential: b } } }\n",
            """
            router.yaml:2:35: expected either { file: PATH } or { credential: NAME }
            interfaces: { wg0: { private-key: { file: a, credential: b } } }
                                              ^
            """),
        Case(
            "a key from nowhere", "fullbore: 1\ninterfaces: { wg0: { private-key: {} } }\n",
            """
            router.yaml:2:35: expected either { file: PATH } or { credential: NAME }
            interfaces: { wg0: { private-key: {} } }
                                              ^
            """),
        Case(
            "a misspelt key reference", "fullbore: 1\ninterfaces: { wg0: { private-key: { flie: a } } }\n",
            """
            router.yaml:2:37: unknown key 'flie' (did you mean 'file'?)
            interfaces: { wg0: { private-key: { flie: a } } }
                                                ^
            """),
        Case(
            "a credential with a folder", "fullbore: 1\ninterfaces: { wg0: { private-key: { credential: ../k } } }\n",
            """
            router.yaml:2:49: this is not a credential's name: it is a file's name without a folder
            interfaces: { wg0: { private-key: { credential: ../k } } }
                                                            ^
            """),
    ]
}
