# Keeps one PostgreSQL in $FOLDER on $PORT, from the programs in $BIN. Words on standard input: stop, start, freeze, thaw; each is answered by one
# line. When the input ends, because the test process did in whatever way, the server ends and the folder goes.
set -u
as=
if [ "$(id -u)" = 0 ]; then
    # The server refuses to run as root.
    as='setpriv --reuid=postgres --regid=postgres --init-groups --pdeathsig QUIT --'
    install -d -o postgres -g postgres -m 700 "$FOLDER" || exit 1
else
    install -d -m 700 "$FOLDER" || exit 1
fi
cd "$FOLDER" || exit 1
data=$FOLDER/data
log=$FOLDER/log

begin() {
    (exec $as "$BIN/postgres" -D "$data" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=400 \
        -c shared_buffers=32MB -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 \
        </dev/null >>"$log" 2>&1) &
    server=$!
}

# Children of the server that hold connections are meant as well.
tell_all() {
    kill "-$1" "$server" $(pgrep -P "$server") 2>/dev/null
}

# An ordering by language, so that a statement that counts on the order of bytes is found out.
$as "$BIN/initdb" -D "$data" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=ru \
    --no-sync --no-instructions >>"$log" 2>&1
# Whoever is `keyed` needs the password.
sed -i '1i host all keyed 127.0.0.1/32 scram-sha-256' "$data/pg_hba.conf"
begin
echo begun
while read -r word; do
    case $word in
        stop) tell_all CONT; kill -INT "$server"; wait "$server" ;;
        start) begin ;;
        freeze) tell_all STOP ;;
        thaw) tell_all CONT ;;
    esac
    echo "$word"
done
tell_all CONT
kill -QUIT "$server" 2>/dev/null
wait "$server"
cd /
rm -rf "$FOLDER"
