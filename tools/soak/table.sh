# Sourced by the soaks: runs tests in their long form and writes their figures as a table.

figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
export SOAK_REPORT=$figures
profile=${PROFILE:-release}

# soak ARGUMENTS: the tests that these arguments name.
soak() {
    cargo test --workspace --profile "$profile" --test it -- --nocapture "$@" || { echo "| **failed** | $* |" >>"$figures"; return 1; }
}

# table TITLE FILE: the figures of all tests so far, kept in FILE and printed.
table() {
    {
        echo "# $1"
        echo
        echo "$(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $(nproc) cores, profile $profile."
        echo
        echo "| what | measured |"
        echo "|---|---|"
        cat "$figures"
    } >"$2"
    cat "$2"
}
