# Runs the statements with Ruby's mysql2 over libmariadb: binary statements and rows as they come.
require 'bigdecimal'
require 'digest'
require 'mysql2'

$stdout.sync = true
LONG = 'b' * (1 << 24)

def say(*words) = puts(words.join(' '))

def show(v)
  text =
    case v
    when nil then 'null'
    when BigDecimal then "decimal:#{v.to_s('F')}"
    when Time then "time:#{v.strftime('%Y-%m-%dT%H:%M:%S.%6N%z')}"
    else "#{v.class}:#{v}"
    end.b
  text.size > 300 ? "#{text.size}:#{Digest::SHA1.hexdigest(text)}" : text.inspect
end

ENV['TZ'] = 'UTC'
options = {
  host: ENV['HOST'], port: ENV['PORT'].to_i, username: ENV['DBUSER'], password: ENV['PASSWORD'], database: ENV['DB'],
  encoding: 'utf8mb4', local_infile: true, flags: Mysql2::Client::MULTI_STATEMENTS, database_timezone: :utc
}
options[:flags] |= Mysql2::Client::COMPRESS if ENV['COMPRESS']
options[:sslcipher] = 'HIGH' if ENV['TLS'] # which is how libmariadb is told
begin
  $c = Mysql2::Client.new(options)
rescue Mysql2::Error => e
  say 0, 'cannot connect', e.error_number, e.message
  exit 1
end
say 0, 'server', $c.server_info.inspect

def failed(n, e)
  e.is_a?(Mysql2::Error) ? say(n, 'error', e.error_number, e.sql_state, e.message.b.inspect) : say(n, 'error', e.class, e.message.b.inspect)
end

def rows(n, r)
  return unless r

  say n, 'columns', r.fields.zip(r.respond_to?(:field_types) ? r.field_types : []).map { |name, type| "#{name.b.inspect}/#{type}" }
  r.each(as: :array) { |row| say n, 'row', *row.map { |v| show(v) } }
end

def query(n, sql, how)
  r = $c.query(sql, how)
  loop do
    rows(n, r)
    say n, 'done', $c.affected_rows, $c.last_id, $c.warning_count, $c.query_info_string.inspect
    break unless $c.more_results?

    $c.next_result
    r = $c.store_result
  end
rescue Mysql2::Error, ArgumentError => e
  failed(n, e)
  $c.abandon_results!
end

def prepare(n, sql, list, how)
  s = $c.prepare(sql)
  say n, 'prepared', s.param_count, s.field_count
  list.each do |params|
    rows(n, s.execute(*params, **how))
    say n, 'done', s.affected_rows, s.last_id
  rescue Mysql2::Error, ArgumentError => e
    failed(n, e)
  ensure
    $c.abandon_results!
  end
  s.close
rescue Mysql2::Error => e
  failed(n, e)
end

def value(word)
  text = word[2..].to_s.gsub(/%(\h\h)/n) { $1.hex.chr }.force_encoding('UTF-8')
  case word[0]
  when 'i' then text.to_i
  when 'd' then text.to_f
  when 'b' then [text].pack('H*')
  when 's' then text
  end
end

lines = File.read(ENV['STATEMENTS'], encoding: 'UTF-8').split("\n")
i = 0
while i < lines.size
  line = lines[i]
  n = i += 1
  list = []
  while i < lines.size && lines[i] =~ /\Awith( |\z)/
    list << lines[i].split(' ')[1..].map { |w| value(w) }
    i += 1
  end
  next if line.empty? || line.start_with?('#')

  command, text = line.split(' ', 2)
  next if command == 'big' && !ENV['BIG']

  text = text.to_s.gsub('%FILE%', ENV['UPLOAD']).gsub('DATABASE', ENV['DB']).gsub('%BIG%', LONG)
  case command
  when 'query', 'local', 'big' then query(n, text, {})
  when 'prepare', 'batch' then prepare(n, text, list, {})
  when 'cursor' then prepare(n, text, list, { stream: true, cache_rows: false })
  when 'use'
    begin
      $c.select_db(text)
    rescue Mysql2::Error => e
      failed(n, e)
    end
  when 'ping' then say n, $c.ping
  else say n, 'left out'
  end
end
$c.close
