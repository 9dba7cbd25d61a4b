package cli

// column is one column of a table of T.
type column[T any] struct {
	title string
	wide  bool // of -o wide alone
	cell  func(T) any
}

// rows prints a list of T row by row, in any of the formats, so that it need not
// be in memory.
type rows[T any] struct {
	a       *app
	columns []column[T]
	table   *table
	list    *jsonList
}

// tableRows is how many rows a long table is printed at a time: its columns get
// wider on the way, never narrower.
const tableRows = 500

// newRows begins a list that JSON has under name.
func newRows[T any](a *app, name string, columns []column[T]) *rows[T] {
	r := &rows[T]{a: a, list: a.jsonList(name), table: a.plainTable()}
	var titles []string
	for _, c := range columns {
		if !c.wide || a.wide() {
			r.columns = append(r.columns, c)
			titles = append(titles, c.title)
		}
	}
	r.table.rows = [][]string{titles}
	return r
}

// add prints one row, if not at once then soon.
func (r *rows[T]) add(row T) error {
	if r.a.structured() {
		return r.list.add(row)
	}
	cells := make([]any, len(r.columns))
	for i, c := range r.columns {
		cells[i] = c.cell(row)
	}
	r.table.row(cells...)
	if len(r.table.rows) > tableRows {
		r.flush()
	}
	return r.a.stdout.err
}

// flush prints what is not printed yet.
func (r *rows[T]) flush() {
	if !r.a.structured() {
		r.table.print(r.a.stdout)
	}
}

// end prints what is left, and in JSON the extras.
func (r *rows[T]) end(extras ...extra) error {
	if r.a.structured() {
		return r.list.end(extras...)
	}
	r.flush()
	return r.a.stdout.err
}

// printRows prints a list that is there in full.
func printRows[T any](a *app, name string, columns []column[T], all []T, extras ...extra) error {
	r := newRows(a, name, columns)
	for _, row := range all {
		if err := r.add(row); err != nil {
			return err
		}
	}
	return r.end(extras...)
}
