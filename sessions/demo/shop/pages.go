package shop

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
)

// leakBound is how many statements the search worker leaves open before it takes a new connection, far below the
// server's max_prepared_stmt_count (16,382), so that only the demo's connection suffers.
const leakBound = 100

// keptOrders is how many orders the cron job leaves: about as many items as the sample data has, so that the report
// stays as slow as it is.
const keptOrders = 1000

// web is one request to the shop's web server.
func (w *worker) web(ctx context.Context) error {
	switch n := w.random.IntN(10); {
	case n < 5:
		return w.checkout(ctx)
	case n < 8:
		return w.productPage(ctx)
	default:
		return w.orderHistory(ctx)
	}
}

// productPage does it right: one statement for all the page shows. The driver prepares it, runs it and closes it.
func (w *worker) productPage(ctx context.Context) error {
	var sku, name, price, qty sql.NullString
	return w.query(ctx, func(rows *sql.Rows) error { return rows.Scan(&sku, &name, &price, &qty) },
		"SELECT p.sku, p.name, p.price, s.qty FROM products p JOIN stock s ON s.sku = p.sku WHERE p.sku = ? "+
			tags("products", "/products/:sku"), SKU(w.random.IntN(Articles)))
}

// orderHistory is the N+1: a list, then a query for each row of it.
func (w *worker) orderHistory(ctx context.Context) error {
	var ids []int64
	err := w.query(ctx, func(rows *sql.Rows) error {
		var id int64
		var status, total sql.NullString
		if err := rows.Scan(&id, &status, &total); err != nil {
			return err
		}
		ids = append(ids, id)
		return nil
	}, "SELECT id, status, total FROM orders ORDER BY id DESC LIMIT 12 "+tags("orders", "/account/orders"))
	if err != nil {
		return err
	}
	var name, qty, price sql.NullString
	for _, id := range ids {
		err := w.queryPrepared(ctx, func(rows *sql.Rows) error { return rows.Scan(&name, &qty, &price) },
			"SELECT p.name, i.qty, i.price FROM order_items i JOIN products p ON p.sku = i.sku WHERE i.order_id = ?", id)
		if err != nil {
			return err
		}
	}
	return nil
}

// report finds what is bought together. Comparing with LIKE leaves the index on sku unused, so every item is compared
// with every other.
func (w *worker) report(ctx context.Context) error {
	var a, b, times sql.NullString
	return w.query(ctx, func(rows *sql.Rows) error { return rows.Scan(&a, &b, &times) }, slowJoin+tags("reports", "/reports/bought-together"))
}

const slowJoin = `SELECT a.sku, b.sku, COUNT(*) AS times
  FROM order_items a JOIN order_items b ON b.sku > a.sku AND CONCAT(b.order_id, '') LIKE CONCAT(a.order_id, '')
 GROUP BY a.sku, b.sku ORDER BY times DESC, a.sku, b.sku LIMIT 10 `

// cron is the housekeeping, in text statements.
func (w *worker) cron(ctx context.Context) error {
	res, err := w.exec(ctx, "UPDATE stock SET qty = qty + 100, updated_at = NOW() WHERE qty < ? /* job=restock */", 20)
	if err != nil {
		return err
	}
	restocked, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if restocked > 0 {
		w.logf("cron: restocked %d %s", restocked, plural(int(restocked), "article", "articles"))
	}
	var last sql.NullInt64
	err = w.query(ctx, func(rows *sql.Rows) error { return rows.Scan(&last) }, "SELECT MAX(id) FROM orders /* job=archive */")
	if err != nil {
		return err
	}
	if keep := last.Int64 - keptOrders; keep > 0 {
		for _, del := range []string{
			"DELETE FROM order_items WHERE order_id <= ? /* job=archive */",
			"DELETE FROM orders WHERE id <= ? /* job=archive */",
		} {
			if _, err := w.exec(ctx, del, keep); err != nil {
				return err
			}
		}
	}
	if _, err := w.exec(ctx, "DELETE FROM audit WHERE at < NOW() - INTERVAL 1 HOUR /* job=archive */"); err != nil {
		return err
	}
	_, err = w.exec(ctx, "INSERT INTO audit (at, job, detail) VALUES (NOW(), 'restock', ?) /* job=restock */",
		fmt.Sprintf("%d restocked", restocked))
	return err
}

// search prepares a statement and forgets it: the leak.
func (w *worker) search(ctx context.Context) error {
	if w.leaked == leakBound {
		w.logf("search: %d statements left open, taking a new connection", w.leaked)
		return errFresh
	}
	if err := w.pace(ctx); err != nil {
		return err
	}
	st, err := w.conn.PrepareContext(ctx, "SELECT sku, name, price FROM products WHERE name LIKE ? ORDER BY price LIMIT 5")
	if err != nil {
		return err
	}
	w.leaked++
	if err := w.pace(ctx); err != nil {
		return err
	}
	terms := []string{"%mug%", "%blue%", "Tall%", "%shirt", "%poster%"}
	rows, err := st.QueryContext(ctx, terms[w.random.IntN(len(terms))])
	if err != nil {
		return err
	}
	var sku, name, price sql.NullString
	return each(rows, func(rows *sql.Rows) error { return rows.Scan(&sku, &name, &price) })
}

// tags is a comment in the form of sqlcommenter, as web frameworks add it.
func tags(controller, route string) string {
	return fmt.Sprintf("/*controller='%s',framework='shop%%3A1.4',route='%s'*/", controller, url.QueryEscape(route))
}
