//go:build !nodemo

package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"mydbg/sessions/demo/shop"
)

// How much there is of everything. The slow report's time grows with the square of the order items.
const (
	customers   = 200
	orders      = 500
	carts       = 60
	batchOfRows = 100
)

// firstDay is the day the sample data begins. It is fixed, so that every demo shows the same rows.
var firstDay = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

var schema = []string{
	`CREATE TABLE customers (
		id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL, email VARCHAR(120) NOT NULL,
		city VARCHAR(60), note TEXT, created_at DATETIME NOT NULL, UNIQUE KEY email (email))`,
	`CREATE TABLE products (
		sku VARCHAR(16) NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL, category VARCHAR(30) NOT NULL,
		price DECIMAL(8,2) NOT NULL, attributes JSON)`,
	`CREATE TABLE stock (sku VARCHAR(16) NOT NULL PRIMARY KEY, qty INT NOT NULL, updated_at DATETIME NOT NULL)`,
	`CREATE TABLE orders (
		id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT UNSIGNED NOT NULL,
		status ENUM('new','paid','sent','returned') NOT NULL, total DECIMAL(10,2) NOT NULL,
		created_at DATETIME NOT NULL, KEY customer_id (customer_id))`,
	`CREATE TABLE order_items (
		order_id BIGINT UNSIGNED NOT NULL, line TINYINT UNSIGNED NOT NULL, sku VARCHAR(16) NOT NULL, qty INT NOT NULL,
		price DECIMAL(8,2) NOT NULL, PRIMARY KEY (order_id, line), KEY sku (sku))`,
	`CREATE TABLE carts (
		id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT UNSIGNED NOT NULL, sku VARCHAR(16) NOT NULL,
		qty INT NOT NULL, added_at DATETIME NOT NULL)`,
	`CREATE TABLE audit (
		id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, at DATETIME NOT NULL, job VARCHAR(40) NOT NULL, detail VARCHAR(200))`,
}

var (
	givenNames  = strings.Fields("Ada Béla Chloé Dmitri Edsger Frances Grace Haruki Ines Jörg Katherine Linus Mårten Noor Olga Pavel Quinn Radia Søren Tove")
	familyNames = strings.Fields("Abe Brandt Castillo Diallo Eriksson Faure García Hansen Ito Jansen Kowalski Łukasz Müller Nguyen Okafor O'Brien Papadopoulos Rossi Şahin Takeda")
	cities      = []string{"Berlin", "København", "Kraków", "Lagos", "Lyon", "Malmö", "Osaka", "Porto", "São Paulo", "Zürich"}
	categories  = []string{"mugs", "posters", "shirts", "stickers", "books"}
	adjectives  = strings.Fields("Plain Striped Tall Tiny Vintage Glossy Folded Blue Heavy Quiet")
	statuses    = []string{"paid", "sent", "sent", "sent", "returned"}
)

// sampleData is the statements that make the shop: the tables, then rows that are the same each time.
func sampleData() []string {
	r := rand.New(rand.NewPCG(77, 4040))
	stmts := append([]string(nil), schema...)
	insert := func(table string, rows []string) {
		for len(rows) > 0 {
			n := min(len(rows), batchOfRows)
			stmts = append(stmts, "INSERT INTO "+table+" VALUES "+strings.Join(rows[:n], ","))
			rows = rows[n:]
		}
	}

	var rows []string
	for i := range customers {
		given, family := givenNames[i%len(givenNames)], familyNames[(i/len(givenNames)+i)%len(familyNames)]
		city, note := quote(cities[r.IntN(len(cities))]), "NULL"
		switch r.IntN(12) {
		case 0:
			city = "NULL"
		case 1:
			note = quote("prefers parcels on Fridays 📦")
		}
		rows = append(rows, fmt.Sprintf("(%d,%s,'customer%03d@example.com',%s,%s,%s)",
			i+1, quote(given+" "+family), i+1, city, note, stamp(i*7)))
	}
	insert("customers", rows)

	var products, stock []string
	prices := make([]int, shop.Articles)
	for i := range shop.Articles {
		prices[i] = 195 + 100*r.IntN(40)
		category := categories[i%len(categories)]
		name := adjectives[(i/len(categories))%len(adjectives)] + " " + strings.TrimSuffix(category, "s")
		products = append(products, fmt.Sprintf("('%s',%s,'%s',%s,'{\"weight_g\": %d, \"tags\": [\"%s\"]}')",
			shop.SKU(i), quote(name), category, cents(prices[i]), 20+r.IntN(900), category))
		stock = append(stock, fmt.Sprintf("('%s',%d,%s)", shop.SKU(i), 40+r.IntN(160), stamp(orders*3)))
	}
	insert("products", products)
	insert("stock", stock)

	var heads, items []string
	for id := 1; id <= orders; id++ {
		total := 0
		for line := 1; line <= 1+r.IntN(4); line++ {
			article, qty := r.IntN(shop.Articles), 1+r.IntN(3)
			total += qty * prices[article]
			items = append(items, fmt.Sprintf("(%d,%d,'%s',%d,%s)", id, line, shop.SKU(article), qty, cents(prices[article])))
		}
		heads = append(heads, fmt.Sprintf("(%d,%d,'%s',%s,%s)",
			id, 1+r.IntN(customers), statuses[r.IntN(len(statuses))], cents(total), stamp(id*3)))
	}
	insert("orders", heads)
	insert("order_items", items)

	rows = nil
	for i := range carts {
		rows = append(rows, fmt.Sprintf("(%d,%d,'%s',%d,%s)",
			i+1, 1+r.IntN(customers), shop.SKU(r.IntN(shop.Articles)), 1+r.IntN(3), stamp(orders*3+i)))
	}
	insert("carts", rows)
	insert("audit", []string{"(1," + stamp(0) + ",'open','shop opened')"})
	return stmts
}

// stamp is a DATETIME literal so many quarters of an hour after the first day.
func stamp(quarters int) string {
	return firstDay.Add(time.Duration(quarters) * 15 * time.Minute).Format("'2006-01-02 15:04:05'")
}

func cents(n int) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
