module manofwar

go 1.26.0
