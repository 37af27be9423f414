package main

// The length and the seeds of the simulations for the document.
const (
	documentRequests  = 400_000
	documentLifetimes = 200
	aloneSeed         = 1
	sharedSeed        = 2
)

// comparison has the simulated outcomes of a load.
type comparison struct {
	load          load
	alone, shared outcome
}

func compare(l load, requests, lifetimes int) comparison {
	return comparison{
		load:   l,
		alone:  simulate(l, false, aloneSeed, requests, lifetimes),
		shared: simulate(l, true, sharedSeed, requests, lifetimes),
	}
}

// scenario is a row of the table.
type scenario struct {
	name                 string
	credentials, windows int
	comparison           comparison
}

// scenarios returns the rows of the table.
func scenarios() []scenario {
	var rows []scenario
	for _, s := range []struct {
		name                 string
		credentials, windows int
		requests             float64 // per second, for all pages
		replicas             int
		ttl                  float64 // in seconds
	}{
		{name: "wall of screens", credentials: 1, windows: 1, requests: 10, replicas: 3, ttl: 2},
		{name: "dashboard of a team", credentials: 1, windows: 10, requests: 20, replicas: 3, ttl: 2},
		{name: "the same", credentials: 1, windows: 10, requests: 20, replicas: 10, ttl: 2},
		{name: "the same", credentials: 1, windows: 10, requests: 20, replicas: 10, ttl: 10},
		{name: "front page of a product", credentials: 200, windows: 3, requests: 60, replicas: 3, ttl: 2},
		{name: "the same", credentials: 200, windows: 3, requests: 60, replicas: 3, ttl: 30},
		{name: "many users who browse", credentials: 500, windows: 40, requests: 100, replicas: 3, ttl: 10},
	} {
		l := load{rates: even(s.credentials*s.windows, s.requests), replicas: s.replicas, ttl: s.ttl, fetch: fetchTime}
		rows = append(rows, scenario{s.name, s.credentials, s.windows, compare(l, documentRequests, documentLifetimes)})
	}
	return rows
}

// fetchTime is the mean duration of an upstream call in the document, in seconds.
const fetchTime = 0.3

// The load of the chart.
const (
	curvePages    = 10
	curveRequests = 20 // per second, for all pages
	maxReplicas   = 16
)

// curve has comparisons for 1 to maxReplicas replicas with the same TTL.
type curve struct {
	ttl    float64
	points []comparison
}

func curves() []curve {
	var all []curve
	for _, ttl := range []float64{2, 10} {
		c := curve{ttl: ttl}
		for replicas := 1; replicas <= maxReplicas; replicas++ {
			l := load{rates: even(curvePages, curveRequests), replicas: replicas, ttl: ttl, fetch: fetchTime}
			c.points = append(c.points, compare(l, documentRequests/4, documentLifetimes))
		}
		all = append(all, c)
	}
	return all
}
