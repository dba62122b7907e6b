package value

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// shape is a kind of geometry, by its number in WKB.
type shape uint32

const (
	point shape = iota + 1
	lineString
	polygon
	multiPoint
	multiLineString
	multiPolygon
	collection
)

var shapeNames = [...]string{
	point: "POINT", lineString: "LINESTRING", polygon: "POLYGON", multiPoint: "MULTIPOINT", multiLineString: "MULTILINESTRING",
	multiPolygon: "MULTIPOLYGON", collection: "GEOMETRYCOLLECTION",
}

// element is the shape of the parts of a MULTI-.
func (s shape) element() shape { return s - (multiPoint - point) }

// maxNested is how deep collections may stand in each other; servers stop at 100 or so.
const maxNested = 64

// formatGeometry is a geometry as WKT, behind SRID=n; where it has one that is not 0. Coordinates stand
// in the order they are stored in, longitude before latitude, which ST_AsText of MySQL 8 turns round for
// some reference systems. It is false for what would not be read as the same bytes again: other byte
// orders, Z and M, rubbish.
func formatGeometry(b []byte) (string, bool) {
	if len(b) < 4 {
		return "", false
	}
	var text []byte
	if srid := binary.LittleEndian.Uint32(b); srid != 0 {
		text = fmt.Appendf(text, "SRID=%d;", srid)
	}
	w := wkb{b: b[4:]}
	text = w.geometry(text, 0, 0)
	return string(text), !w.bad && len(w.b) == 0
}

// wkb reads well-known binary.
type wkb struct {
	b   []byte
	bad bool
}

func (w *wkb) take(n int) []byte {
	if w.bad || len(w.b) < n {
		w.bad = true
		return make([]byte, 16)
	}
	b := w.b[:n]
	w.b = w.b[n:]
	return b
}

// geometry writes the next geometry; want is the shape it must have, 0 for any. Parts of a MULTI- have no
// name.
func (w *wkb) geometry(text []byte, want shape, depth int) []byte {
	order := w.take(1)[0]
	s := shape(binary.LittleEndian.Uint32(w.take(4)))
	if order != 1 || s < point || s > collection || want != 0 && s != want || depth > maxNested {
		w.bad = true
	}
	if w.bad {
		return text
	}
	if want == 0 {
		text = append(text, shapeNames[s]...)
	}
	switch s {
	case point:
		return append(w.point(append(text, '(')), ')')
	case lineString:
		return w.list(text, 16, w.point)
	case polygon:
		return w.list(text, 4, func(text []byte) []byte { return w.list(text, 16, w.point) })
	case collection:
		return w.list(text, 5, func(text []byte) []byte { return w.geometry(text, 0, depth+1) })
	}
	return w.list(text, 5, func(text []byte) []byte { return w.geometry(text, s.element(), depth+1) })
}

// list writes what a count is in front of; each takes size bytes at least.
func (w *wkb) list(text []byte, size int, one func([]byte) []byte) []byte {
	n := binary.LittleEndian.Uint32(w.take(4))
	if uint64(n)*uint64(size) > uint64(len(w.b)) {
		w.bad = true
	}
	if n == 0 {
		return append(text, " EMPTY"...)
	}
	text = append(text, '(')
	for i := uint32(0); i < n && !w.bad; i++ {
		if i > 0 {
			text = append(text, ',')
		}
		text = one(text)
	}
	return append(text, ')')
}

func (w *wkb) point(text []byte) []byte {
	b := w.take(16)
	for i, bits := range []uint64{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])} {
		f := math.Float64frombits(bits)
		if f != f || math.IsInf(f, 0) {
			w.bad = true
		}
		if i > 0 {
			text = append(text, ' ')
		}
		text = appendFloat(text, f, 64, NoDecimals)
	}
	return text
}

// parseGeometry reads WKT, with or without SRID=n; in front.
func parseGeometry(text string) ([]byte, error) {
	p := wkt{s: text}
	srid := uint64(0)
	if rest, ok := cutFold(strings.TrimSpace(text), "SRID="); ok {
		number, shape, found := strings.Cut(rest, ";")
		var err error
		if srid, err = strconv.ParseUint(strings.TrimSpace(number), 10, 32); err != nil || !found {
			return nil, fmt.Errorf("%s is not an SRID like SRID=4326;", strconv.Quote("SRID="+number))
		}
		p.s = shape
	}
	b := p.geometry(binary.LittleEndian.AppendUint32(nil, uint32(srid)), 0)
	if p.err == nil && p.word() != "" {
		p.fail("nothing more")
	}
	return b, p.err
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// wkt reads well-known text word by word.
type wkt struct {
	s    string
	last string
	err  error
}

// word is the next bracket, comma, name or number; "" at the end.
func (p *wkt) word() string {
	p.s = strings.TrimLeft(p.s, " \t\r\n")
	n := strings.IndexAny(p.s, " \t\r\n(),")
	switch {
	case n < 0:
		n = len(p.s)
	case n == 0:
		n = 1
	}
	p.last, p.s = p.s[:n], p.s[n:]
	return p.last
}

// next looks at the word that comes without taking it.
func (p *wkt) next() string {
	rest := p.s
	word := p.word()
	p.s = rest
	return word
}

func (p *wkt) fail(want string) {
	if p.err == nil {
		got := "the end"
		if p.last != "" {
			got = strconv.Quote(p.last)
		}
		p.err = fmt.Errorf("this is not a geometry like POINT(1 2): %s where there should be %s", got, want)
	}
}

func (p *wkt) expect(word string) {
	if p.err == nil && p.word() != word {
		p.fail(word)
	}
}

func (p *wkt) geometry(dst []byte, depth int) []byte {
	if depth > maxNested && p.err == nil {
		p.err = errors.New("collections stand too deep in each other")
	}
	if p.err != nil {
		return dst
	}
	name := p.word()
	for s := point; s <= collection; s++ {
		if strings.EqualFold(name, shapeNames[s]) {
			return p.body(header(dst, s), s, depth)
		}
	}
	p.fail("POINT, LINESTRING, POLYGON, a MULTI of them or GEOMETRYCOLLECTION")
	return dst
}

func header(dst []byte, s shape) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, 1), uint32(s))
}

// body reads what follows the name of a shape.
func (p *wkt) body(dst []byte, s shape, depth int) []byte {
	switch s {
	case point:
		p.expect("(")
		dst = p.point(dst)
		p.expect(")")
		return dst
	case lineString:
		return p.list(dst, p.point)
	case polygon:
		return p.list(dst, func(dst []byte) []byte { return p.list(dst, p.point) })
	case multiPoint:
		return p.list(dst, func(dst []byte) []byte {
			dst = header(dst, point)
			if p.next() == "(" {
				return p.body(dst, point, depth)
			}
			return p.point(dst) // as MariaDB writes it
		})
	case collection:
		return p.list(dst, func(dst []byte) []byte { return p.geometry(dst, depth+1) })
	}
	return p.list(dst, func(dst []byte) []byte { return p.body(header(dst, s.element()), s.element(), depth) })
}

// list reads things between brackets and puts their number in front.
func (p *wkt) list(dst []byte, one func([]byte) []byte) []byte {
	at, n := len(dst), uint32(0)
	dst = append(dst, 0, 0, 0, 0)
	if strings.EqualFold(p.next(), "EMPTY") {
		p.word()
		return dst
	}
	for p.expect("("); p.err == nil; n++ {
		if dst = one(dst); p.next() != "," {
			n++
			p.expect(")")
			break
		}
		p.word()
	}
	binary.LittleEndian.PutUint32(dst[at:], n)
	return dst
}

func (p *wkt) point(dst []byte) []byte {
	for range 2 {
		if p.err != nil {
			break
		}
		v, err := readFloat(p.word(), Double)
		if err != nil {
			p.fail("a number")
			break
		}
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.(float64)))
	}
	return dst
}
