package config

// didYouMean returns a clause that suggests the candidate nearest to a mistyped name, with a
// prefix. It returns "" if no candidate is near. One edit is near, and two, three, … edits are near
// for names of at least 8, 12, … bytes.
func didYouMean(prefix, written string, candidates []string) string {
	nearest, best := "", max(1, len(written)/4)+1
	for _, candidate := range candidates {
		if d := editDistance(written, candidate); d > 0 && d < best {
			nearest, best = candidate, d
		}
	}
	if nearest == "" {
		return ""
	}
	return ", did you mean " + prefix + nearest + "?"
}

// editDistance returns the Levenshtein distance of a and b, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1) // distances of a's prefix to each prefix of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
