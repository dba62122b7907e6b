package serve

import (
	"errors"
	"fmt"

	"mydbg/mysqlwire"
)

// translate is a recorded answer in the form a client expects that has agreed to other things than the recorded one:
// EOF packets or not, text rows or binary ones, session state or not.
func translate(a *mysqlwire.Answer, from, to *mysqlwire.Context, binary bool) (*mysqlwire.Answer, error) {
	results, err := a.Results(from)
	if err != nil {
		return nil, fmt.Errorf("the recorded answer cannot be read: %w", err)
	}
	out := &mysqlwire.Answer{Command: a.Command}
	for i := range results {
		packets, err := result(&results[i], a, to, binary)
		if err != nil {
			return nil, err
		}
		out.Packets = append(out.Packets, packets...)
	}
	if len(out.Packets) == 0 {
		return nil, errors.New("the recorded answer is empty")
	}
	return out, nil
}

func result(r *mysqlwire.Result, a *mysqlwire.Answer, to *mysqlwire.Context, binary bool) ([]mysqlwire.Packet, error) {
	switch {
	case r.HasRows() && r.Ended && r.ERR == nil:
		rs, err := r.ResultSet()
		if err != nil {
			return nil, err
		}
		if !to.Caps.Has(mysqlwire.MariaDBExtendedMetadata) {
			for i := range rs.Columns {
				rs.Columns[i].Extended = nil
			}
		}
		rs.Status &^= mysqlwire.StatusSessionStateChanged
		packets, err := rs.Packets(to, binary)
		return packets, err
	case r.OK != nil:
		ok := *r.OK
		if !to.Caps.Has(mysqlwire.SessionTrack) {
			ok.SessionState = nil
			ok.Status &^= mysqlwire.StatusSessionStateChanged
		}
		return packet(mysqlwire.KindOK, &ok, to)
	case r.ERR != nil && !r.HasRows():
		return packet(mysqlwire.KindERR, r.ERR, to)
	}
	return a.Packets[r.First : r.Last+1], nil // as it is: a text, or an answer that broke off
}

func packet(k mysqlwire.Kind, m mysqlwire.Message, cx *mysqlwire.Context) ([]mysqlwire.Packet, error) {
	b, err := m.Encode(nil, cx)
	return []mysqlwire.Packet{{Kind: k, Payload: b}}, err
}

// preparation is the answer to a prepare.
func preparation(id uint32, params, columns []mysqlwire.Column, warnings uint16, to *mysqlwire.Context) (*mysqlwire.Answer, error) {
	packets, err := packet(mysqlwire.KindPrepareOK, &mysqlwire.PrepareOK{
		StmtID: id, Params: uint16(len(params)), Columns: uint16(len(columns)), Warnings: warnings, Metadata: 1,
	}, to)
	if err != nil {
		return nil, err
	}
	own := *to
	own.Command = mysqlwire.ComStmtPrepare
	for _, block := range []struct {
		kind    mysqlwire.Kind
		columns []mysqlwire.Column
	}{{mysqlwire.KindParam, params}, {mysqlwire.KindColumn, columns}} {
		for i := range block.columns {
			c := block.columns[i]
			if !to.Caps.Has(mysqlwire.MariaDBExtendedMetadata) {
				c.Extended = nil
			}
			p, err := packet(block.kind, &c, &own)
			if err != nil {
				return nil, err
			}
			packets = append(packets, p...)
		}
		if len(block.columns) > 0 && !to.Caps.Has(mysqlwire.DeprecateEOF) {
			p, err := packet(mysqlwire.KindEOF, &mysqlwire.EOF{Status: mysqlwire.StatusAutocommit}, to)
			if err != nil {
				return nil, err
			}
			packets = append(packets, p...)
		}
	}
	return &mysqlwire.Answer{Command: mysqlwire.ComStmtPrepare, Packets: packets}, nil
}
