// swift-tools-version: 6.3
// Fullbore: a WireGuard router appliance. The tree is described in README.md, "The tree".
import PackageDescription

/// Every target, tests included: language mode 6 (from the tools version), strict memory safety, no warnings.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

/// A stage: its folder is under Plugins/, its line in Sources/Router/StageRegistry.swift.
func plugin(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: ["Pipeline", "Wire"] + dependencies, path: "Plugins/\(name)", exclude: ["README.md"],
        swiftSettings: strict)
}

/// Plugins by name, in alphabetical order: SwiftPM keeps what it found when it last read this file, so they are listed.
let plugins = [
    plugin("DSCP"),
    plugin("Firewall", ["HostStages", "Nftables"]),
    plugin("NAT", ["HostStages", "Nftables"]),
    plugin("NetMap"),
    plugin("RateLimit"),
]

func tests(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name), "Support"] + dependencies,
        resources: resources, swiftSettings: strict)
}

/// Whether the core is to be built by itself, for etc/bench to show that stages which no file names cost nothing.
let isWithoutPlugins = Context.environment["FULLBORE_WITHOUT_PLUGINS"] != nil

/// The fuzzer's program has no `main`: it links under `--sanitize=fuzzer` alone, so it is there only when etc/fuzz asks.
let fuzzing: [Target] =
    Context.environment["FULLBORE_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzBodies"], path: "Tests/Fuzz/Runner",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
    ]

let package = Package(
    name: "fullbore",
    products: [
        .executable(name: "fullbore", targets: ["fullbore"]),
        .library(name: "WireGuard", targets: ["WireGuard"]),
        .library(name: "fullbore-wireguard", type: .dynamic, targets: ["WireGuardC"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // The program, then its modules from the top of the picture to the bottom. Imports point downwards only.
        .executableTarget(
            name: "fullbore",
            dependencies: [
                "Router", "Control", "Configuration", "Pipeline", "Crypto", "Linux",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        module(
            "Router",
            [
                "PacketPath", "Configuration", "Control", "Linux", "TUN", "UDP", "WireGuard", "AllowedIPs", "Crypto",
                "Pipeline", "Wire", "Locking", "HostStages", "Nftables",
                .product(name: "Logging", package: "swift-log"),
            ] + (isWithoutPlugins ? [] : plugins.map { .byName(name: $0.name) }),
            exclude: [isWithoutPlugins ? "StageRegistry.swift" : "WithoutPlugins.swift"]),
        module("PacketPath", ["Pipeline", "AllowedIPs", "WireGuard", "TUN", "UDP", "Linux", "Locking"]),
        module("Control", ["Linux", "Crypto", "Wire", "Locking"]),
        module("Configuration", ["Pipeline", "Crypto", "Wire", "CYAML"]),
        module("HostStages", ["Pipeline", "Nftables", "Wire"]),
        module("Nftables", ["Linux", "Wire", "CNftables"]),
        module("TUN", ["Pipeline", "Linux"]),
        module("UDP", ["Pipeline", "Linux"]),
        module("Pipeline", ["Wire"]),
        module("AllowedIPs", ["Wire"]),
        module("WireGuardC", ["WireGuard", "CWireGuard"]),
        module("WireGuard", ["Crypto", "Wire", "Locking"]),
        module("Linux", ["Wire", "CLinux", "CMNL"]),
        module("Crypto", ["CSodium", "CIPSecMB", "Locking"]),
        module("Wire"),
        module("Locking"),

        // C: what Swift cannot see of the kernel's headers, and the system libraries.
        .target(name: "CLinux"),
        .target(name: "CIPSecMB"),
        .target(name: "CWireGuard"),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CMNL", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
        .systemLibrary(name: "CNftables", pkgConfig: "libnftnl", providers: [.apt(["libnftnl-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // Tests: one target per module; Support holds what several of them share.
        .target(
            name: "Support", dependencies: ["Wire", "Pipeline", "Configuration", "Linux"], path: "Tests/Support",
            swiftSettings: strict),
        .target(
            name: "StageTestKit", dependencies: ["Support", "Wire", "Pipeline", "Configuration"],
            path: "Tests/StageTestKit", swiftSettings: strict),
        // What etc/bench counts the instructions of.
        .executableTarget(
            name: "stage-cost", dependencies: ["StageTestKit", "Router", "Pipeline", "Wire"], path: "Tests/StageCost",
            swiftSettings: strict),
        .executableTarget(
            name: "path-cost",
            dependencies: [
                "StageTestKit", "Router", "PacketPath", "Configuration", "TUN", "UDP", "WireGuard", "Crypto",
                "Pipeline",
                "Wire", "CSodium", "Linux", "CLinux",
            ],
            path: "Tests/PathCost", swiftSettings: strict),
        .executableTarget(
            name: "prefix-cost", dependencies: ["AllowedIPs", "Support", "Wire"], path: "Tests/PrefixCost",
            swiftSettings: strict),
        tests("Wire"),
        tests("Crypto", ["Linux", "Locking", "CSodium"], resources: [.copy("Vectors")]),
        tests("AllowedIPs"),
        tests("WireGuard", ["Crypto", "Locking"]),
        tests("Pipeline"),
        tests("Configuration"),
        tests("Linux", ["CNftables", "CLinux", "Locking"]),
        tests("Nftables", ["Linux", "Wire"]),
        tests("TUN"),
        tests("UDP"),
        tests("PacketPath"),
        // Counts the Diffie-Hellmans of each thread of the tests.
        .target(name: "CX25519Count", path: "Tests/CX25519Count"),
        tests(
            "Router",
            [
                "StageTestKit", "Locking", "RateLimit", "CX25519Count", "CMNL",
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests("Control", ["Crypto", "Locking"]),
        tests("StageTestKit", ["Wire", "Pipeline"]),
        tests("DSCP", ["StageTestKit", "Wire", "Pipeline"], resources: [.copy("Golden")]),
        tests(
            "Firewall",
            ["StageTestKit", "HostStages", "Nftables", "NAT", "Configuration", "Pipeline", "Wire", "TUN", "Linux"],
            resources: [.copy("Golden")]),
        tests(
            "NAT", ["StageTestKit", "HostStages", "Nftables", "Configuration", "Pipeline", "Wire"],
            resources: [.copy("Golden")]),
        tests("NetMap", ["StageTestKit", "Wire", "Pipeline", "Configuration", "Router"]),
        tests("RateLimit", ["Wire", "Pipeline", "Locking"]),

        // What is fuzzed, and the replay of what fuzzing has found. libFuzzer's own program: see `fuzzing` below.
        .target(
            name: "FuzzBodies",
            dependencies: [
                "Support", "Wire", "Crypto", "WireGuard", "Configuration", "Pipeline", "PacketPath", "Control", "Linux",
            ],
            path: "Tests/Fuzz/Bodies", swiftSettings: strict),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzBodies"], path: "Tests/Fuzz/Replay", swiftSettings: strict),
    ] + plugins + fuzzing,
    swiftLanguageModes: [.v6]
)
