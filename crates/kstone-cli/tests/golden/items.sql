-- What the golden files show: every type, a key with and without a sort key, text that needs care.
INSERT INTO items VALUE {'pk': 'user#1', 'sk': 'profile', 'name': 'Ada; "Countess"', 'age': 36.50, 'active': true};
INSERT INTO items VALUE {
  'pk': 'user#1', 'sk': 'tags',           -- a statement may take several lines
  'list': [1, 'two', null], 'map': {'city': 'Oslo', 'zip': 150}, 'numbers': <<1, 2>>, 'words': <<'a', 'b'>>
};
INSERT INTO items VALUE {'pk': 'user#1', 'sk': 'text', 'name': 'line
break, ''quoted'' and 日本語', 'big': 12345678901234567890123456789012345678, 'nothing': null};
SELECT * FROM items WHERE pk = 'user#1';
