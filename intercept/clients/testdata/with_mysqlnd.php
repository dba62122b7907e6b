<?php
// Runs the statements with mysqli over mysqlnd: binary statements, cursors, long data, several results.

mysqli_report(MYSQLI_REPORT_OFF);

function say($n, ...$words) { echo $n, ' ', implode(' ', $words), "\n"; }

function show($v) {
    $text = gettype($v) . ':' . (is_bool($v) ? (int)$v : $v);
    if (strlen($text) > 300) {
        return strlen($text) . ':' . sha1($text);
    }
    return addcslashes($text, "\0..\37\\\177..\377 ");
}

function dial() {
    $c = mysqli_init();
    $c->options(MYSQLI_OPT_LOCAL_INFILE, true);
    $flags = 0;
    if (getenv('TLS')) {
        $c->ssl_set(null, null, null, null, null);
        $flags |= MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT;
    }
    if (getenv('COMPRESS')) {
        $flags |= MYSQLI_CLIENT_COMPRESS;
    }
    if (!@$c->real_connect(getenv('HOST'), getenv('DBUSER'), getenv('PASSWORD'), getenv('DB'), (int)getenv('PORT'), null, $flags)) {
        say(0, 'cannot connect', $c->connect_errno, $c->connect_error);
        exit(1);
    }
    $c->set_charset('utf8mb4');
    return $c;
}

function columns($n, $r) {
    $words = [];
    foreach ($r->fetch_fields() as $f) {
        $words[] = "$f->db.$f->orgtable.$f->orgname as $f->table.$f->name/$f->type/$f->charsetnr/$f->length/$f->decimals/$f->flags/$f->max_length";
    }
    say($n, 'columns', addcslashes(implode(' | ', $words), "\177..\377"));
}

function rows($n, $r) {
    columns($n, $r);
    while ($row = $r->fetch_row()) {
        say($n, 'row', ...array_map('show', $row));
    }
    $r->free();
}

function ended($n, $of, $c) {
    say($n, 'done', $of->affected_rows, $of->insert_id, $of->warning_count ?? '', addcslashes((string)$c->info, "\177..\377"));
}

function failed($n, $of) { say($n, 'error', $of->errno, $of->sqlstate, addcslashes($of->error, "\n\177..\377")); }

function query($n, $c, $sql, $mode) {
    if (!$c->multi_query($sql)) {
        return failed($n, $c);
    }
    while (true) {
        $r = $mode == MYSQLI_USE_RESULT ? $c->use_result() : $c->store_result();
        if ($r) {
            rows($n, $r);
        }
        if ($c->errno) {
            return failed($n, $c);
        }
        ended($n, $c, $c);
        if (!$c->more_results()) {
            return;
        }
        if (!$c->next_result()) {
            return failed($n, $c);
        }
    }
}

function prepare($n, $c, $sql, $list, $cursor) {
    $s = $c->prepare($sql);
    if (!$s) {
        return failed($n, $c);
    }
    if ($cursor) {
        $s->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
    }
    say($n, 'prepared', $s->param_count, $s->field_count);
    foreach ($list as $params) {
        $types = '';
        $values = [];
        foreach ($params as $i => [$type, $v]) {
            $types .= $type;
            $values[] = $type == 'b' ? null : $v;
        }
        if (count($values) != $s->param_count) {
            say($n, 'left out');
            continue;
        }
        if ($values) {
            $s->bind_param($types, ...$values);
        }
        foreach ($params as $i => [$type, $v]) {
            if ($type == 'b') {
                $s->send_long_data($i, $v);
            }
        }
        if (!$s->execute()) {
            failed($n, $s);
            continue;
        }
        do {
            if ($s->field_count && $cursor) {
                $meta = $s->result_metadata();
                columns($n, $meta);
                $row = array_fill(0, $meta->field_count, null);
                $refs = [];
                foreach ($row as $i => $_) {
                    $refs[] = &$row[$i];
                }
                $s->bind_result(...$refs);
                while ($s->fetch()) {
                    say($n, 'row', ...array_map('show', $row));
                }
            } elseif ($s->field_count && $r = $s->get_result()) {
                rows($n, $r);
            }
            if ($s->errno) {
                failed($n, $s);
            } else {
                ended($n, $s, $c);
            }
        } while (!$cursor && $s->more_results() && $s->next_result());
        $s->free_result();
    }
    $s->close();
}

$long = str_repeat('b', 1 << 24);
$c = dial();
say(0, 'server', $c->server_info, $c->protocol_version, $c->character_set_name());
$lines = explode("\n", file_get_contents(getenv('STATEMENTS')));
for ($i = 0; $i < count($lines);) {
    $line = $lines[$i++];
    $n = $i;
    $list = [];
    while ($i < count($lines) && preg_match('/^with( |$)/', $lines[$i])) {
        $params = [];
        foreach (array_slice(explode(' ', $lines[$i++]), 1) as $word) {
            $text = rawurldecode(substr($word, 2));
            $params[] = match ($word[0]) {
                'i' => ['i', (int)$text],
                'd' => ['d', (float)$text],
                's' => ['s', $text],
                'b' => ['b', hex2bin($text)],
                'n' => ['s', null],
            };
        }
        $list[] = $params;
    }
    if ($line == '' || $line[0] == '#') {
        continue;
    }
    [$command, $text] = explode(' ', $line, 2) + ['', ''];
    if ($command == 'big' && !getenv('BIG')) {
        continue;
    }
    $text = str_replace(['%FILE%', 'DATABASE', '%BIG%'], [getenv('UPLOAD'), getenv('DB'), $long], $text);
    switch ($command) {
        case 'query':
        case 'local':
        case 'big':
            query($n, $c, $text, MYSQLI_STORE_RESULT);
            break;
        case 'prepare':
        case 'batch':
            prepare($n, $c, $text, $list, false);
            break;
        case 'cursor':
            prepare($n, $c, $text, $list, true);
            query($n, $c, str_replace('?', '100', $text), MYSQLI_USE_RESULT);
            break;
        case 'use':
            $c->select_db($text) ? ended($n, $c, $c) : failed($n, $c);
            break;
        case 'ping':
            say($n, $c->ping() ? 'pong' : 'no answer');
            break;
        case 'stat':
            say($n, preg_replace('/[0-9.]+/', 'N', $c->stat()));
            break;
        case 'change':
            say($n, $c->change_user(getenv('DBUSER'), getenv('PASSWORD'), getenv('DB')) ? 'changed' : 'refused', $c->errno, $c->error);
            break;
        default:
            say($n, 'left out');
    }
}
