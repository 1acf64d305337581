#!/usr/bin/env bash
# timeout: 2400
# A stage that `fullbore stage new` begins builds and passes its tests as it stands, in a copy of the source; names that are
# no names, or taken, are refused and change nothing.
#
# No topology: nothing here has to do with packets on a wire.
set -euo pipefail
# shellcheck source=../../../etc/lib/prerequisites.sh
. "$(dirname "$0")/../../../etc/lib/prerequisites.sh"
prerequisites build
# shellcheck source=../../../etc/lib/script.sh
. "$(dirname "$0")/../../../etc/lib/script.sh"

fullbore=${FULLBORE:-$repo/.build/release/fullbore}
copy=$work/fullbore
mkdir "$copy"
tar -C "$repo" --exclude=./.build --exclude=./.git -cf - . | tar -C "$copy" -xf -
cd "$copy"

sums() { find . -type f -not -path './.build/*' -exec sha256sum {} + | sort -k2 | sha256sum; }

step "names that are none, and names that are taken"
before=$(sums)
words=(Port-Knock port_knock port--knock -knock knock- 9lives "")
ours=(dscp tun wire packet stage support fuzz fuzz-bodies stage-test-kit stage-registry drop options group-options)
theirs=(logging argument-parser argument-parser-tool-info in-memory-logging testing foundation dispatch swift)
library=(self type any string int set array error result bool u-int64)
for name in "${words[@]}" "${ours[@]}" "${theirs[@]}" "${library[@]}"; do
    if "$fullbore" stage new -- "$name" >"$work/said" 2>&1; then fail "'$name' was taken for a stage's name"; fi
    grep -q '^fullbore: ' "$work/said" || fail "no reason for '$name': $(cat "$work/said")"
done
[[ $(sums) == "$before" ]] || fail "a name that was refused has changed something"
(cd / && ! "$fullbore" stage new port-knock 2>"$work/said") || fail "it writes where no checkout is"
grep -q 'no checkout' "$work/said" || fail "$(cat "$work/said")"

step "a stage that is new"
"$fullbore" stage new port-knock >"$work/said" || fail "$(cat "$work/said")"
for path in Plugins/PortKnock/PortKnock.swift Plugins/PortKnock/README.md Tests/PortKnockTests/PortKnockTests.swift; do
    [[ -s $path ]] || fail "there is no $path"
done
grep -qE '^port-knock \| \{\} \| - \| packet \| [0-9]+$' etc/bench.d/stages || fail "etc/bench.d/stages has no line for it"
diff <(grep -v '^port-knock ' etc/bench.d/stages) "$repo/etc/bench.d/stages" || fail "other lines have changed with it"
! "$fullbore" stage new port-knock 2>/dev/null || fail "it is begun a second time"
swift format lint --strict --configuration .swift-format Plugins/PortKnock/*.swift Tests/PortKnockTests/*.swift \
    Package.swift Sources/Router/StageRegistry.swift || fail "what was written is not formatted"

step "it builds without a warning"
interruptible swift build --build-tests >"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; fail "it does not build"; }
if grep -E 'warning:' "$work/log"; then fail "it builds with a warning"; fi

step "its tests pass, and those that every plugin is held to"
interruptible swift test --skip-build --disable-xctest \
    --filter 'PortKnockTests|PluginFolderTests|StageLifeTests|StageDeclarationTests|ExampleFilesTests' >"$work/log" 2>&1 ||
    { grep -E '✘|↳' "$work/log" >&2; fail "a test fails"; }
grep -qE '✔ Test run with [1-9][0-9]* tests' "$work/log" || fail "no tests were run"

step "the program knows it"
.build/debug/fullbore stages port-knock | grep -q 'largest: a whole number from 0 to 65535 (default: 65535)' || fail "it is not told of"

step "a stage that would not be told of its options does not build"
source=Plugins/PortKnock/PortKnock.swift
sed -i 's/func set(_ peer: PeerID, _ options: Options?) {/func set(_ peer: PeerID, _ options: Options) {/' "$source"
grep -qF 'options: Options) {' "$source" || fail "what is begun has another set"
if interruptible swift build --target PortKnock >"$work/log" 2>&1; then fail "it builds"; fi
grep -q "error: type 'PortKnock' does not conform to protocol 'PluginStage'" "$work/log" || fail "$(tail -n 30 "$work/log")"
