package intercept

import (
	"fmt"

	"mydbg/mysqlwire"
)

// Rewrite is the plan that runs other SQL in place of ev's command: COM_QUERY keeps its query
// attributes, an execute has the new text prepared on its connection and executed with the same
// parameters, and closed again. sql is written in the character set of the connection, or refused.
func Rewrite(ev *Event, sql string, by Origin) ([]Query, error) {
	m, err := ev.Message()
	if err != nil {
		return nil, err
	}
	if _, execute := m.(*mysqlwire.StmtExecute); !execute { // Reprepare does it itself
		if sql, err = ev.Context.ToClientSet(sql); err != nil {
			return nil, err
		}
	}
	switch m := m.(type) {
	case *mysqlwire.Query:
		p, err := m.WithSQL(sql).Encode(nil, ev.Context)
		return []Query{{Packet: p, Origin: by, Show: true}}, err
	case *mysqlwire.StmtPrepare:
		p, err := (&mysqlwire.StmtPrepare{SQL: sql}).Encode(nil, ev.Context)
		return []Query{{Packet: p, Origin: by, Show: true}}, err
	case *mysqlwire.StmtExecute:
		return Reprepare(ev, sql, m, by)
	}
	return nil, fmt.Errorf("%s has no SQL to rewrite", ev.Command())
}

// Reprepare is the plan that executes other text with the parameters of m: prepare, execute, close.
func Reprepare(ev *Event, sql string, m *mysqlwire.StmtExecute, by Origin) ([]Query, error) {
	sql, err := ev.Context.ToClientSet(sql)
	if err != nil {
		return nil, err
	}
	prepare, err := (&mysqlwire.StmtPrepare{SQL: sql}).Encode(nil, ev.Context)
	if err != nil {
		return nil, err
	}
	for i, p := range m.Params {
		if p.Long {
			return nil, fmt.Errorf("parameter %d was sent ahead as long data and belongs to the old statement", i)
		}
	}
	bound := *m
	bound.NewParamsBound = len(m.Params) > 0 // the server has no types of it yet
	execute, err := bound.Encode(nil, ev.Context)
	if err != nil {
		return nil, err
	}
	closing, err := (&mysqlwire.StmtClose{}).Encode(nil, ev.Context)
	if err != nil {
		return nil, err
	}
	return []Query{
		{Packet: prepare, Origin: by, Need: true},
		{Packet: execute, Origin: by, Show: true, LastPrepared: true},
		{Packet: closing, Origin: by, LastPrepared: true},
	}, nil
}
