//go:build !nodemo

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/vitess/go/mysql"
	vitesslog "github.com/dolthub/vitess/go/vt/log"
	"github.com/sirupsen/logrus"

	"mydbg/sessions/demo/shop"
)

// stopWait bounds how long stop waits for statements that are running.
const stopWait = 5 * time.Second

// version is what the greeting says; the number is the MySQL release the engine follows.
const version = "8.0.31-mydbg-demo"

// silence keeps the engine's libraries from writing to standard error.
var silence = sync.OnceFunc(func() {
	logrus.SetOutput(io.Discard)
	logrus.SetLevel(logrus.PanicLevel)
	quiet := func(...any) {}
	quietf := func(string, ...any) {}
	vitesslog.Info, vitesslog.Warning, vitesslog.Error = quiet, quiet, quiet
	vitesslog.Infof, vitesslog.Warningf, vitesslog.Errorf = quietf, quietf, quietf
})

// engine is the SQL engine, its protocol server and the lock around its tables.
type engine struct {
	sqle     *sqle.Engine
	srv      *server.Server
	handler  *handler
	accepted chan struct{} // closed when the accept loop has ended
}

func startEngine(o Options) (addr string, stop func() error, err error) {
	silence()
	db := memory.NewDatabase(shop.Database)
	db.EnablePrimaryKeyIndexes()
	pro := memory.NewDBProvider(db)
	e := &engine{sqle: sqle.NewDefault(pro), accepted: make(chan struct{})}
	if err := e.load(pro); err != nil {
		return "", nil, fmt.Errorf("load sample data: %w", err)
	}
	e.addUsers()

	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return "", nil, err
	}
	e.handler = newHandler(pro, o.LockWait)
	cfg := server.Config{Listener: l, Protocol: "tcp", Address: l.Addr().String(), Version: version}
	wrap := func(h mysql.Handler) (mysql.Handler, error) {
		e.handler.Handler = h
		return e.handler, nil
	}
	e.srv, err = server.NewServerWithHandler(cfg, e.sqle, sql.NewContext, e.handler.newSession, nil, wrap)
	if err != nil {
		return "", nil, errors.Join(err, l.Close())
	}
	// Ends when stop closes the listener.
	go func() {
		defer close(e.accepted)
		e.srv.Listener.Accept()
	}()
	return l.Addr().String(), e.stop, nil
}

// load runs the statements that make the sample data.
func (e *engine) load(pro *memory.DbProvider) error {
	sess := memory.NewSession(sql.NewBaseSession(), pro)
	ctx := sql.NewContext(context.Background(), sql.WithSession(sess))
	ctx.SetCurrentDatabase(shop.Database)
	for _, stmt := range sampleData() {
		_, rows, _, err := e.sqle.Query(ctx, stmt)
		if err == nil {
			_, err = sql.RowIterToRows(ctx, rows)
		}
		if err != nil {
			return fmt.Errorf("%.60s: %w", stmt, err)
		}
	}
	return nil
}

// addUsers makes the application's account and root without a password.
func (e *engine) addUsers() {
	users := e.sqle.Analyzer.Catalog.MySQLDb
	ed := users.Editor()
	defer ed.Close()
	users.AddSuperUser(ed, shop.User, "%", shop.Password)
	users.AddSuperUser(ed, "root", "localhost", "")
}

// stop ends the server. The order matters: nobody new, then everybody out, then the engine.
func (e *engine) stop() error {
	e.srv.Listener.Close()
	<-e.accepted
	empty := e.handler.cutAll()
	for _, p := range e.sqle.ProcessList.Processes() {
		e.sqle.ProcessList.Kill(p.Connection)
	}
	var err error
	timer := time.NewTimer(stopWait)
	defer timer.Stop()
	select {
	case <-empty:
	case <-timer.C:
		err = fmt.Errorf("demo server: statements still running %v after they were killed", stopWait)
	}
	if errE := e.sqle.Close(); !errors.Is(errE, context.Canceled) { // which is how it says that it stopped its threads
		err = errors.Join(err, errE)
	}
	return err
}
