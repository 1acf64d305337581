/// What is not the YAML that is read.
extension ErrorTests {
    static let yaml = [
        Case(
            "a tab for indentation", "fullbore: 1\ninterfaces:\n\twg0: {}\n",
            "router.yaml:3:1: a tab cannot indent: use spaces\n\twg0: {}\n^"),
        Case(
            "a tab after deeper lines", interface("mtu: 1400\n\tlisten-port: 1"),
            "router.yaml:6:1: a tab cannot indent: use spaces\n\tlisten-port: 1\n^"),
        Case(
            "an unclosed list", interface("addresses: [10.0.0.1/24"),
            """
            router.yaml:5:16: this '[' has no ']'
                addresses: [10.0.0.1/24
                           ^
            """),
        Case(
            "an unclosed mapping", "fullbore: 1\nruntime: { workers: 2\n",
            """
            router.yaml:2:10: this '{' has no '}'
            runtime: { workers: 2
                     ^
            """),
        Case(
            "an unclosed quote", top("name: \"edge"),
            """
            router.yaml:2:7: this quoted text has no end
            name: "edge
                  ^
            """),
        Case(
            "a line indented too little", interface("peers:\n      berlin:\n     public-key: x"),
            """
            router.yaml:7:6: expected a key: is the line indented as the others of its mapping?
                 public-key: x
                 ^
            """),
        Case(
            "a second colon", top("name: a: b"),
            """
            router.yaml:2:8: a ':' cannot stand here: is the line indented as the one above, and a value that holds \
            ': ' in quotes?
            name: a: b
                   ^
            """),
        Case(
            "an address that begins with a colon", interface("addresses: [::1/128]"),
            """
            router.yaml:5:17: text that begins with ':' stands in quotes
                addresses: [::1/128]
                            ^
            """),
        Case(
            "a reserved character", top("name: @edge"),
            """
            router.yaml:2:7: a value cannot begin with this character: put the value in quotes
            name: @edge
                  ^
            """),
        Case(
            "a key twice", top("name: a\nname: b"),
            """
            router.yaml:3:1: duplicate key 'name': it is on line 2 already
            name: b
            ^
            """),
        Case(
            "a merge key", interface("<<: { mtu: 1400 }"),
            """
            router.yaml:5:5: merge keys (<<) are not supported: write the keys out
                <<: { mtu: 1400 }
                ^
            """),
        Case(
            "a key that is a list", interface("[mtu]: 1400"),
            """
            router.yaml:5:5: expected a key, found a list: a key is text
                [mtu]: 1400
                ^
            """),
        Case(
            "a tag", interface("mtu: !!int 1400"),
            """
            router.yaml:5:10: tags (!) are not supported
                mtu: !!int 1400
                     ^
            """),
        Case(
            "an alias without an anchor", interface("addresses: *ours"),
            """
            router.yaml:5:16: '*ours' stands for nothing: there is no '&' of that name above
                addresses: *ours
                           ^
            """),
        Case(
            "an alias within its anchor", interface("addresses: &ours [*ours]"),
            """
            router.yaml:5:23: '*ours' stands within what it stands for
                addresses: &ours [*ours]
                                  ^
            """),
        Case(
            "two documents", top("name: a\n---"),
            """
            router.yaml:3:1: a second document: a file holds one
            ---
            ^
            """),
        Case(
            "another YAML", "%YAML 1.1\n---\nfullbore: 1\n",
            """
            router.yaml:1:1: this is read as YAML 1.2
            %YAML 1.1
            ^
            """),
        Case("an empty file", "", "router.yaml:1:1: the file is empty"),
        Case("only a comment", "# nothing\n", "router.yaml:1:1: the file is empty\n# nothing\n^"),
        Case("not a mapping", "- tun\n", "router.yaml:1:1: expected a mapping, found a list\n- tun\n^"),
        Case(
            "a control character", "fullbore: 1\nname: a\u{1}b\n",
            "router.yaml:2:8: a control character cannot stand in a file\nname: a\u{FFFD}b\n       ^"),
    ]
}
