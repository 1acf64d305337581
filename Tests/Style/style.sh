#!/usr/bin/env bash
# style.sh: every script passes shellcheck, every Swift file `swift format lint --strict`; both as the settings in the root say.
#
# timeout: 400
set -euo pipefail
# shellcheck source=../../etc/lib/script.sh
. "$(dirname "$0")/../../etc/lib/script.sh"
# shellcheck source=../../etc/lib/prerequisites.sh
. "$(dirname "$0")/../../etc/lib/prerequisites.sh"

cd "$repo"
# What is written here, tracked by git or not yet; nothing that is built or fetched.
files() { git -c safe.directory="$repo" ls-files --cached --others --exclude-standard -z "$@" | while IFS= read -rd '' file; do [[ ! -f $file ]] || printf '%s\n' "$file"; done; }
is_script() { head -n1 "$1" 2>/dev/null | grep -qaE '^#!.*\b(ba)?sh\b|^# shellcheck shell='; }

mapfile -t swift < <(files '*.swift')
((${#swift[@]} > 100)) || fail "only ${#swift[@]} Swift files were found"
interruptible swift format lint --strict --parallel --configuration .swift-format "${swift[@]}" >"$work/swift" 2>&1 ||
    fail "swift format: $(cat "$work/swift")"
step "${#swift[@]} Swift files"

optional_packages style || skip "the scripts are not looked at: $missing"
mapfile -t scripts < <(files | while IFS= read -r file; do ! is_script "$file" || printf '%s\n' "$file"; done)
((${#scripts[@]} > 30)) || fail "only ${#scripts[@]} scripts were found"
printf '%s\n' "${scripts[@]}" | xargs -P 2 -n 6 shellcheck -x >"$work/shell" 2>&1 || fail "shellcheck: $(cat "$work/shell")"
step "${#scripts[@]} scripts"
