"""A recipe carried out: its folder, train, evaluate, publish. Joins the rows above."""
