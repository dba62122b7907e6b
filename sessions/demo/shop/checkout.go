package shop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// The errors after which a transaction is worth another try.
const (
	errLockWait = 1205
	errDeadlock = 1213
)

const (
	retries      = 3
	firstBackoff = 100 * time.Millisecond // doubled for each retry
)

// The statements of a checkout.
const (
	selectStock = "SELECT s.qty, p.price FROM stock s JOIN products p ON p.sku = s.sku WHERE s.sku = ?"
	updateStock = "UPDATE stock SET qty = qty - ? WHERE sku = ?"
	insertOrder = "INSERT INTO orders (customer_id, status, total, created_at) VALUES (?, 'new', ? * ?, NOW())"
	insertItem  = "INSERT INTO order_items (order_id, line, sku, qty, price) VALUES (?, 1, ?, ?, ?)"
)

// purchase is what a customer wants.
type purchase struct {
	number   int
	customer int
	sku      string
	qty      int
}

// checkout buys something, with the loop that every book on transactions asks for.
func (w *worker) checkout(ctx context.Context) error {
	p := purchase{number: w.nextCheckout(), customer: 1 + w.random.IntN(200), sku: SKU(w.random.IntN(Articles)), qty: 1 + w.random.IntN(3)}
	if w.random.IntN(3) == 0 {
		p.sku = SKU(bestSKU - firstSKU)
	}
	backoff := firstBackoff
	for try := 0; ; try++ {
		err := w.buy(ctx, p)
		switch {
		case err == nil && try > 0:
			w.logf("checkout %d: done after %d %s", p.number, try, plural(try, "retry", "retries"))
			return nil
		case err == nil:
			return nil
		case broken(err) || ctx.Err() != nil:
			return err // nobody can tell whether it was committed; trying again might sell twice
		}
		if errR := w.rollback(ctx); errR != nil {
			return errR
		}
		if !worthRetrying(err) || try == retries {
			w.logf("checkout %d: given up: %s", p.number, why(err))
			return nil
		}
		w.logf("checkout %d: %s, retry %d of %d", p.number, why(err), try+1, retries)
		if err := pause(ctx, backoff); err != nil {
			return err
		}
		backoff *= 2
	}
}

// buy is one try.
func (w *worker) buy(ctx context.Context, p purchase) error {
	if _, err := w.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	qty, price, known := 0, "", false
	err := w.queryPrepared(ctx, func(rows *sql.Rows) error {
		known = true
		return rows.Scan(&qty, &price)
	}, selectStock, p.sku)
	switch {
	case err != nil:
		return err
	case !known:
		return fmt.Errorf("%s is not in the catalogue", p.sku)
	case qty < p.qty:
		return fmt.Errorf("%s is sold out: %d wanted, %d left", p.sku, p.qty, qty)
	}
	if _, err := w.execute(ctx, updateStock, p.qty, p.sku); err != nil {
		return err
	}
	res, err := w.execute(ctx, insertOrder, p.customer, p.qty, price)
	if err != nil {
		return err
	}
	order, err := res.LastInsertId()
	if err != nil {
		return err
	}
	if _, err := w.execute(ctx, insertItem, order, p.sku, p.qty, price); err != nil {
		return err
	}
	_, err = w.exec(ctx, "COMMIT")
	return err
}

// rollback ends a transaction that failed. If even that is refused, nobody knows what state the connection is in, and a
// new one is cheap.
func (w *worker) rollback(ctx context.Context) error {
	if _, err := w.exec(ctx, "ROLLBACK"); err != nil {
		w.logf("%s: rollback: %s, taking a new connection", w.name, why(err))
		if broken(err) || ctx.Err() != nil {
			return err
		}
		return errFresh
	}
	return nil
}

func worthRetrying(err error) bool {
	my, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (my.Number == errDeadlock || my.Number == errLockWait)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
