-- Whether an operator's submit dates are near our own (SubmitDates.count).

ALTER TABLE operator ADD COLUMN dates INTEGER NOT NULL DEFAULT 0;
