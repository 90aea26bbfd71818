// What a statement costs modernc.org/sqlite when it is prepared anew for each call, when database/sql keeps it, and when
// SQLite keeps it. Run it in a folder of its own:
//
//	go mod init reproduction && go get modernc.org/sqlite@v1.34.1 && go run sqlite-statements.go
package main

import (
	"database/sql"
	"fmt"
	"log"
	"strings"
	"time"

	_ "modernc.org/sqlite"
)

const calls = 20_000

// As wide as a row of executions_visibility, with the indexes of a few of its columns.
const columns = 40

func main() {
	db, err := sql.Open("sqlite", "file::memory:?cache=shared")
	check(err)
	db.SetMaxOpenConns(1)
	names := make([]string, columns)
	marks := make([]string, columns)
	values := make([]any, columns)
	for i := range names {
		names[i], marks[i], values[i] = fmt.Sprintf("column_%d", i), "?", i
	}
	run(db, fmt.Sprintf("create table wide (id integer primary key, %s)", strings.Join(names, ", ")))
	for _, name := range names[:20] {
		run(db, fmt.Sprintf("create index by_%s on wide (%s)", name, name))
	}
	insert := fmt.Sprintf("insert into wide (id, %s) values (1, %s) on conflict (id) do nothing",
		strings.Join(names, ", "), strings.Join(marks, ", "))
	run(db, insert, values...)

	tell("sent anew, as Temporal does", func() {
		_, err := db.Exec(insert, values...)
		check(err)
	})
	kept, err := db.Prepare(insert)
	check(err)
	tell("kept by database/sql", func() {
		_, err := kept.Exec(values...)
		check(err)
	})
	// One statement of SQLite for many rows: what parsing alone costs is the difference.
	many := "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) " +
		fmt.Sprintf("insert into wide (id, %s) select 1, %s from n where true on conflict (id) do nothing",
			strings.Join(names, ", "), strings.Join(marks, ", "))
	began := time.Now()
	run(db, many, append([]any{calls}, values...)...)
	fmt.Printf("%-30s %6.1f µs a row\n", "parsed once for all rows", micros(began))
}

func tell(what string, call func()) {
	for range 500 {
		call()
	}
	began := time.Now()
	for range calls {
		call()
	}
	fmt.Printf("%-30s %6.1f µs a call\n", what, micros(began))
}

func micros(began time.Time) float64 {
	return float64(time.Since(began).Microseconds()) / calls
}

func run(db *sql.DB, text string, values ...any) {
	_, err := db.Exec(text, values...)
	check(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
