package mysqlwire

// auth explains the server's packets of an authentication.
func (t *Tracker) auth(f *Frame, head []byte) string {
	f.Kind = KindAuthData
	if len(head) == 0 {
		return ""
	}
	switch head[0] {
	case 0x00:
		if !t.readStatus(f, head) {
			return "OK without status"
		}
		f.Kind = KindOK
	case 0xff:
		f.Kind = KindERR
	case 0xfe:
		f.Kind = KindAuthSwitch
		if f.Len == 1 {
			f.Kind = KindOldAuth
		}
		return ""
	case 0x01:
		f.Kind = KindAuthMore
		return ""
	case 0x02:
		if t.caps.Has(MultiFactorAuthentication) {
			f.Kind = KindNextFactor
		}
		return ""
	default:
		return ""
	}
	f.Ends = t.change
	t.state = StateIdle
	if f.Kind == KindERR && !t.change {
		t.state = StateClosed
	}
	return ""
}
