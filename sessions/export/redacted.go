package export

import (
	"slices"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/sessions"
	"mydbg/sessions/redact"
)

// redacted is a copy of a record with its values masked.
func redacted(rec *sessions.Record, r *redact.Rules) (*sessions.Record, error) {
	out := *rec
	out.Statement = r.Statement(rec.Statement, rec.DB)
	out.SQL = r.Statement(rec.SQL, rec.DB)
	if rec.SQLLen > len(rec.SQL) && out.Statement != rec.Statement { // what is left of a cut text may not be parsed alike
		out.SQL = out.Statement[:min(len(out.Statement), len(rec.SQL))]
	}
	out.SQLLen = len(out.Statement)
	if rec.Stmt != nil {
		st := *rec.Stmt
		st.SQL = r.Statement(st.SQL, rec.DB)
		out.Stmt = &st
	}
	var err error
	if out.Received, err = command(rec.Received, rec, r); err != nil {
		return nil, err
	}
	if rec.Sent != nil {
		out.Sent = slices.Clone(rec.Sent)
		for i := range out.Sent {
			if out.Sent[i], err = command(out.Sent[i], rec, r); err != nil {
				return nil, err
			}
		}
	}
	secrets := secretsOf(rec, r)
	answer, err := answerOf(&rec.Answer, rec, r, secrets)
	if err != nil {
		return nil, err
	}
	out.Answer = *answer
	if rec.Delivered != nil {
		if out.Delivered, err = answerOf(rec.Delivered, rec, r, secrets); err != nil {
			return nil, err
		}
	}
	if rec.Error != nil && len(secrets) > 0 {
		e := *rec.Error
		e.Message = message(e.Message, secrets, r)
		out.Error = &e
	}
	return &out, nil
}

// command masks a packet of a client.
func command(p mysqlwire.Packet, rec *sessions.Record, r *redact.Rules) (mysqlwire.Packet, error) {
	m, err := mysqlwire.Decode(p.Kind, p.Payload, rec.Context)
	if err != nil {
		return p, err
	}
	switch m := m.(type) {
	case *mysqlwire.Query:
		if m.SQL, err = statement(m.SQL, rec, r); err != nil {
			return p, err
		}
	case *mysqlwire.StmtPrepare:
		if m.SQL, err = statement(m.SQL, rec, r); err != nil {
			return p, err
		}
	case *mysqlwire.StmtExecute:
		x, err := r.Execute(m, rec.Statement, rec.DB)
		if err != nil {
			return p, err
		}
		p.Payload, err = x.Encode(nil, rec.Context)
		return p, err
	case *mysqlwire.StmtSendLongData:
		if masked := r.Params(rec.Statement, rec.DB); int(m.Param) < len(masked) && !masked[m.Param] {
			return p, nil
		}
		m.Data = []byte(r.Mask(string(m.Data)))
	default:
		return p, nil
	}
	p.Payload, err = m.Encode(nil, rec.Context)
	return p, err
}

// statement masks a statement in the character set it was sent in: its bytes may look like quotes in another.
func statement(sql string, rec *sessions.Record, r *redact.Rules) (string, error) {
	return rec.Context.ToClientSet(r.Statement(rec.Context.ClientText(sql), rec.DB))
}

// secretsOf are the texts of the values that are masked in a command.
func secretsOf(rec *sessions.Record, r *redact.Rules) []string {
	secrets := r.Masked(rec.Statement, rec.DB)
	x := execute(rec)
	if x == nil {
		return secrets
	}
	masked := r.Params(rec.Statement, rec.DB)
	for i := range x.Params {
		if i >= len(masked) || !masked[i] {
			continue
		}
		if v, err := x.Params[i].Value(); err == nil && v != nil {
			text := value.Text(v, x.Params[i].Type, value.NoDecimals)
			if _, isText := v.([]byte); isText {
				text = rec.Context.ClientText(text)
			}
			secrets = append(secrets, text)
		}
	}
	return secrets
}

func answerOf(a *mysqlwire.Answer, rec *sessions.Record, r *redact.Rules, secrets []string) (*mysqlwire.Answer, error) {
	if len(a.Packets) == 0 {
		return a, nil
	}
	out, err := r.Answer(a, rec.Context)
	if err != nil || len(secrets) == 0 {
		return out, err
	}
	packets := slices.Clone(out.Packets)
	for i, p := range packets {
		if p.Kind != mysqlwire.KindERR {
			continue
		}
		e := &mysqlwire.ERR{}
		if err := e.Decode(p.Payload, rec.Context); err != nil {
			return nil, err
		}
		if e.Message, err = rec.Context.ToResultSet(message(rec.Context.ResultText(e.Message), secrets, r)); err != nil {
			return nil, err
		}
		if packets[i].Payload, err = e.Encode(nil, rec.Context); err != nil {
			return nil, err
		}
	}
	return &mysqlwire.Answer{Command: out.Command, Packets: packets, Partial: out.Partial}, nil
}

// message masks what an error message says of values: Duplicate entry 'alice@example.com' for key 'email'. It quotes
// what it takes from keys, too, which may be parts of them.
func message(text string, secrets []string, r *redact.Rules) string {
	for _, s := range secrets {
		if len(s) > 2 { // shorter ones are in every message
			text = strings.ReplaceAll(text, s, r.Mask(s))
		}
	}
	parts := strings.Split(text, "'")
	for i := 1; i < len(parts); i += 2 {
		if !slices.ContainsFunc(secrets, func(s string) bool { return parts[i] == r.Mask(s) }) {
			parts[i] = r.Mask(parts[i])
		}
	}
	return strings.Join(parts, "'")
}
