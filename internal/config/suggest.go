package config

// didYouMean returns a clause to append that names the candidate nearest to what was written, with the prefix, or
// nothing where none is near: one edit, and one more for every four characters from the eighth on.
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

// editDistance is Levenshtein's, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1) // the distances of a's head to every head of b
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
