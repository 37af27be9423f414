package main

// How long and with which seeds the figures of the document are simulated.
const (
	documentRequests = 400_000
	documentLives    = 200
	aloneSeed        = 1
	sharedSeed       = 2
)

// comparison is what a simulation and the formulae say of the same load.
type comparison struct {
	load          load
	alone, shared outcome
}

func compare(l load, requests, lives int) comparison {
	return comparison{l, simulate(l, false, aloneSeed, requests, lives), simulate(l, true, sharedSeed, requests, lives)}
}

// scenario is a row of the table.
type scenario struct {
	name                 string
	credentials, windows int
	comparison           comparison
}

// scenarios returns the rows, for a number of replicas and lives of a page, in seconds.
func scenarios() []scenario {
	var rows []scenario
	for _, s := range []struct {
		name                 string
		credentials, windows int
		requests             float64 // a second, over all
		replicas             int
		ttl                  float64
	}{
		{"a wall of screens", 1, 1, 10, 3, 2},
		{"a team's dashboard", 1, 10, 20, 3, 2},
		{"the same", 1, 10, 20, 10, 2},
		{"the same", 1, 10, 20, 10, 10},
		{"a product's front page", 200, 3, 60, 3, 2},
		{"the same", 200, 3, 60, 3, 30},
		{"many who browse", 500, 40, 100, 3, 10},
	} {
		l := load{rates: even(s.credentials*s.windows, s.requests), replicas: s.replicas, ttl: s.ttl, fetch: fetchTime}
		rows = append(rows, scenario{s.name, s.credentials, s.windows, compare(l, documentRequests, documentLives)})
	}
	return rows
}

// fetchTime is how long an upstream call takes in the document's figures, in seconds.
const fetchTime = 0.3

// The load of the picture: pages asked for so often a second together.
const (
	curvePages    = 10
	curveRequests = 20
	mostReplicas  = 16
)

// curve is calls a second against replicas, for one life of a page.
type curve struct {
	ttl    float64
	points []comparison // from one replica on
}

func curves() []curve {
	var all []curve
	for _, ttl := range []float64{2, 10} {
		c := curve{ttl: ttl}
		for replicas := 1; replicas <= mostReplicas; replicas++ {
			l := load{rates: even(curvePages, curveRequests), replicas: replicas, ttl: ttl, fetch: fetchTime}
			c.points = append(c.points, compare(l, documentRequests/4, documentLives))
		}
		all = append(all, c)
	}
	return all
}
