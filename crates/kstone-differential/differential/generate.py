"""Random scenarios: valid and nearly valid requests for every operation of the data plane, from a seed.

Keys, names and values are few, so that requests meet the same items; one request in six has something wrong with it.
"""

import random

WRITES = {
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "ExecuteStatement",
    "BatchExecuteStatement",
    "ExecuteTransaction",
}
STEPS = 14
# Name, types of the key, indexes with their key attributes: as setups.json makes them.
TABLES = {
    "hash": ("things", {"pk": "S"}, {}),
    "range": ("rows", {"pk": "S", "sk": "S"}, {}),
    "numeric": ("nums", {"pk": "S", "sk": "N"}, {}),
    "binary": ("bins", {"pk": "B", "sk": "B"}, {}),
    "indexed": (
        "goods",
        {"pk": "S", "sk": "S"},
        {
            "byA": {"a": "S"},
            "byAB": {"a": "S", "b": "N"},
            "byB": {"c": "S", "b": "N"},
            "lsiC": {"pk": "S", "c": "S"},
            "lsiB": {"pk": "S", "b": "N"},
        },
    ),
}
NAMES = ["a", "b", "c", "d", "m", "l", "s"]
TEXTS = ["", "a", "b", "ab", "ba", "z"]
NUMBERS = ["0", "1", "-1", "2", "2.5", "10", "1e2", "-0.5", "00", "1.0"]
BINARIES = ["", "AA==", "YQ==", "YWI=", "/w=="]
OF_TYPE = {"S": TEXTS[1:], "N": NUMBERS, "B": BINARIES[1:]}


class Generator:
    """One scenario's choices."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.setup = self.random.choice(list(TABLES))
        self.table, self.key_types, self.indexes = TABLES[self.setup]
        self.values = {}
        self.names = {}

    def one(self, options):
        """One of some."""
        return self.random.choice(options)

    def chance(self, share):
        """True so often."""
        return self.random.random() < share

    # Values.

    def scalar(self):
        """A value without parts."""
        kind = self.one("SSSNNNBLTF")
        return {
            "S": {"S": self.one(TEXTS)},
            "N": {"N": self.one(NUMBERS)},
            "B": {"B": self.one(BINARIES)},
            "L": {"NULL": True},
            "T": {"BOOL": True},
            "F": {"BOOL": False},
        }[kind]

    def value(self, depth=2):
        """Any value."""
        kind = self.random.random()
        if kind < 0.6 or depth == 0:
            return self.scalar()
        if kind < 0.7:
            return {"L": [self.value(depth - 1) for _ in range(self.random.randrange(4))]}
        if kind < 0.8:
            return {"M": {self.one(NAMES): self.value(depth - 1) for _ in range(self.random.randrange(3))}}
        kind, pool = self.one([("SS", TEXTS), ("NS", ["1", "2", "3", "-1"]), ("BS", BINARIES)])
        return {kind: self.random.sample(pool, self.random.randrange(1, 4))}

    def typed(self, kind):
        """A value for a key of this type; at times of another."""
        if self.chance(0.02):
            return self.value()
        return {kind: self.one(OF_TYPE[kind])}

    def key(self):
        """A key of the table; at times with an attribute too few or too many."""
        key = {name: self.typed(kind) for name, kind in self.key_types.items()}
        if self.chance(0.03):
            key.pop(self.one(list(key)))
        if self.chance(0.02):
            key["x"] = {"S": "x"}
        return key

    def item(self):
        """A key and some attributes; those of indexes mostly have their type."""
        item = self.key()
        types = {name: kind for keys in self.indexes.values() for name, kind in keys.items()}
        for name in self.random.sample(NAMES, self.random.randrange(5)):
            item[name] = self.typed(types[name]) if name in types else self.value()
        return item

    # Expressions.

    def begin(self):
        """Forgets the names and values of the request before."""
        self.values, self.names = {}, {}

    def operand_value(self, value=None):
        """A value, by its name."""
        name = f":v{len(self.values)}"
        self.values[name] = value or (self.scalar() if self.chance(0.8) else self.value())
        return name

    def path(self):
        """A path, at times through a name's stand-in."""
        text = self.one(NAMES + list(self.key_types))
        if self.chance(0.25):
            stand_in = f"#n{len(self.names)}"
            self.names[stand_in] = text
            text = stand_in
        for _ in range(2):
            if self.chance(0.15):
                text += self.one([f"[{self.random.randrange(3)}]", "." + self.one(NAMES)])
        return text

    def operand(self):
        """A path, a value or a size."""
        kind = self.random.random()
        if kind < 0.5:
            return self.path()
        return f"size({self.path()})" if kind < 0.6 else self.operand_value()

    def condition(self, depth=2):
        """A condition, or something close to one."""
        if self.chance(0.02):
            return self.one(["a =", "a = :v0 AND", "a = = b", "attribute_exists(a, b)", "foo(a)", "((a = b))", "a IN ()", ""])
        kind = self.random.random()
        if depth > 0 and kind < 0.35:
            left, right = self.condition(depth - 1), self.condition(depth - 1)
            return self.one([f"{left} AND {right}", f"{left} OR {right}", f"NOT {left}", f"({left}) AND NOT ({right})"])
        if kind < 0.65:
            return f"{self.path()} {self.one(['=', '<>', '<', '<=', '>', '>='])} {self.operand()}"
        if kind < 0.72:
            return f"{self.path()} BETWEEN {self.operand()} AND {self.operand()}"
        if kind < 0.79:
            return f"{self.path()} IN ({', '.join(self.operand() for _ in range(self.random.randrange(1, 4)))})"
        if kind < 0.88:
            return f"{self.one(['attribute_exists', 'attribute_not_exists'])}({self.path()})"
        if kind < 0.92:
            kind = self.operand_value({"S": self.one(["S", "N", "B", "SS", "L", "M", "NULL", "BOOL", "Q"])})
            return f"attribute_type({self.path()}, {kind})"
        return f"{self.one(['begins_with', 'contains'])}({self.path()}, {self.operand()})"

    def assignment(self):
        """One action of SET."""
        path = self.path()
        right = self.one(
            [
                lambda: self.operand_value(),
                lambda: self.path(),
                lambda: f"{self.path()} + {self.operand_value({'N': self.one(NUMBERS)})}",
                lambda: f"{self.path()} - {self.operand()}",
                lambda: f"if_not_exists({self.path()}, {self.operand_value()})",
                lambda: f"list_append({self.path()}, {self.operand_value({'L': [self.scalar()]})})",
            ]
        )()
        return f"{path} = {right}"

    def update(self):
        """An update of one to three sections."""
        sections = []
        for section in self.random.sample(["SET", "REMOVE", "ADD", "DELETE"], self.random.randrange(1, 3)):
            if section == "SET":
                sections.append("SET " + ", ".join(self.assignment() for _ in range(self.random.randrange(1, 3))))
            elif section == "REMOVE":
                sections.append("REMOVE " + ", ".join(self.path() for _ in range(self.random.randrange(1, 3))))
            else:
                added = self.one([{"N": "1"}, {"SS": ["a"]}, {"NS": ["1"]}, {"SS": ["a", "q"]}])
                sections.append(f"{section} {self.path()} {self.operand_value(added)}")
        return " ".join(sections)

    def projection(self):
        """Some paths."""
        return ", ".join(self.path() for _ in range(self.random.randrange(1, 4)))

    def with_names(self, request):
        """The request with the names and values that its expressions use; at times one more or one fewer."""
        if self.chance(0.02):
            self.operand_value()
        if self.chance(0.01):
            self.names["#unused"] = "a"
        if self.chance(0.01) and self.values:
            self.values.popitem()
        if self.values:
            request["ExpressionAttributeValues"] = self.values
        if self.names:
            request["ExpressionAttributeNames"] = self.names
        return request

    def capacity(self, request):
        """Asks for the units at times."""
        if self.chance(0.3):
            request["ReturnConsumedCapacity"] = self.one(["TOTAL", "INDEXES", "NONE"])
        return request

    # Operations.

    def put(self):
        """PutItem."""
        request = {"TableName": self.table, "Item": self.item()}
        if self.chance(0.3):
            request["ConditionExpression"] = self.condition()
        if self.chance(0.3):
            request["ReturnValues"] = self.one(["ALL_OLD", "NONE", "ALL_NEW"])
        return "PutItem", self.capacity(self.with_names(request))

    def delete(self):
        """DeleteItem."""
        request = {"TableName": self.table, "Key": self.key()}
        if self.chance(0.4):
            request["ConditionExpression"] = self.condition()
            if self.chance(0.3):
                request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if self.chance(0.4):
            request["ReturnValues"] = self.one(["ALL_OLD", "NONE"])
        return "DeleteItem", self.capacity(self.with_names(request))

    def change(self):
        """UpdateItem."""
        request = {"TableName": self.table, "Key": self.key()}
        if self.chance(0.95):
            request["UpdateExpression"] = self.update()
        if self.chance(0.25):
            request["ConditionExpression"] = self.condition()
        if self.chance(0.7):
            request["ReturnValues"] = self.one(["ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW", "NONE"])
        return "UpdateItem", self.capacity(self.with_names(request))

    def legacy_change(self):
        """UpdateItem as it was before expressions."""
        updates = {}
        for name in self.random.sample(NAMES, self.random.randrange(1, 3)):
            action = self.one(["PUT", "ADD", "DELETE"])
            updates[name] = {"Action": action, "Value": self.value()}
            if action == "DELETE" and self.chance(0.5):
                updates[name].pop("Value")
        request = {"TableName": self.table, "Key": self.key(), "AttributeUpdates": updates}
        if self.chance(0.4):
            request["Expected"] = {self.one(NAMES): self.expectation()}
        request["ReturnValues"] = self.one(["ALL_NEW", "UPDATED_OLD", "NONE"])
        return "UpdateItem", request

    def expectation(self):
        """A legacy condition on one attribute."""
        operator = self.one(["EQ", "NE", "LT", "LE", "GT", "GE", "NULL", "NOT_NULL", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH", "IN", "BETWEEN"])
        count = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2}.get(operator, 1)
        if self.chance(0.05):
            count += 1
        condition = {"ComparisonOperator": operator}
        if count:
            condition["AttributeValueList"] = [self.scalar() for _ in range(count)]
        return condition

    def get(self):
        """GetItem."""
        request = {"TableName": self.table, "Key": self.key()}
        if self.chance(0.4):
            request["ProjectionExpression"] = self.projection()
        elif self.chance(0.2):
            request["AttributesToGet"] = self.random.sample(NAMES, 2)
        if self.chance(0.3):
            request["ConsistentRead"] = True
        return "GetItem", self.capacity(self.with_names(request))

    def read_options(self, request):
        """What Query and Scan share."""
        if self.chance(0.3):
            request["FilterExpression"] = self.condition()
        if self.chance(0.2):
            request["ProjectionExpression"] = self.projection()
        elif self.chance(0.15):
            request["Select"] = self.one(["COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"])
        if self.chance(0.15):
            request["ConsistentRead"] = True
        return self.capacity(self.with_names(request))

    def query(self):
        """Query of the table or of an index."""
        request = {"TableName": self.table}
        keys = self.key_types
        if self.indexes and self.chance(0.6):
            request["IndexName"] = self.one(list(self.indexes))
            keys = self.indexes[request["IndexName"]]
        partition, *sort = keys.items()
        condition = f"{partition[0]} = {self.operand_value(self.typed(partition[1]))}"
        if sort and self.chance(0.6):
            name, kind = sort[0]
            value = lambda: self.operand_value(self.typed(kind))
            condition += " AND " + self.one(
                [
                    lambda: f"{name} {self.one(['=', '<', '<=', '>', '>='])} {value()}",
                    lambda: f"{name} BETWEEN {value()} AND {value()}",
                    lambda: f"begins_with({name}, {value()})",
                ]
            )()
        request["KeyConditionExpression"] = condition
        if self.chance(0.3):
            request["ScanIndexForward"] = self.chance(0.5)
        if self.chance(0.3):
            request["Limit"] = self.random.randrange(1, 4)
        return "Query", self.read_options(request)

    def scan(self):
        """Scan, whole: pages depend on the order of partitions."""
        request = {"TableName": self.table}
        if self.indexes and self.chance(0.5):
            request["IndexName"] = self.one(list(self.indexes))
        return "Scan", self.read_options(request)

    def batch_get(self):
        """BatchGetItem."""
        keys = {"Keys": [self.key() for _ in range(self.random.randrange(1, 4))]}
        if self.chance(0.2):
            keys["AttributesToGet"] = self.random.sample(NAMES, 2)
        return "BatchGetItem", self.capacity({"RequestItems": {self.table: keys}})

    def batch_write(self):
        """BatchWriteItem."""
        writes = []
        for _ in range(self.random.randrange(1, 4)):
            put = {"PutRequest": {"Item": self.item()}}
            writes.append(put if self.chance(0.7) else {"DeleteRequest": {"Key": self.key()}})
        return "BatchWriteItem", self.capacity({"RequestItems": {self.table: writes}})

    def transact_get(self):
        """TransactGetItems."""
        gets = [{"Get": {"TableName": self.table, "Key": self.key()}} for _ in range(self.random.randrange(1, 4))]
        return "TransactGetItems", self.capacity({"TransactItems": gets})

    def transact_write(self):
        """TransactWriteItems."""
        members = []
        for _ in range(self.random.randrange(1, 4)):
            self.begin()
            kind = self.one(["Put", "Delete", "Update", "ConditionCheck"])
            member = {"TableName": self.table}
            member.update({"Item": self.item()} if kind == "Put" else {"Key": self.key()})
            if kind == "Update":
                member["UpdateExpression"] = self.update()
            if kind == "ConditionCheck" or self.chance(0.3):
                member["ConditionExpression"] = self.condition(1)
                if self.chance(0.3):
                    member["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
            members.append({kind: self.with_names(member)})
        return "TransactWriteItems", self.capacity({"TransactItems": members})

    def statement(self):
        """A statement of PartiQL with its parameters."""
        key = self.key()
        where = " AND ".join(f"{name} = ?" for name in key) or "pk = 'a'"
        parameters = list(key.values())
        name, value = self.one(NAMES), self.value()
        return self.one(
            [
                lambda: (f'SELECT * FROM "{self.table}" WHERE {where}', parameters),
                lambda: (f'SELECT {name}, pk FROM "{self.table}" WHERE {where} AND {name} = ?', parameters + [value]),
                lambda: (f'INSERT INTO "{self.table}" VALUE ?', [{"M": self.item()}]),
                lambda: (f'UPDATE "{self.table}" SET {name} = ? WHERE {where}', [value, *parameters]),
                lambda: (f'UPDATE "{self.table}" REMOVE {name} WHERE {where} RETURNING ALL NEW *', parameters),
                lambda: (f'DELETE FROM "{self.table}" WHERE {where} RETURNING ALL OLD *', parameters),
            ]
        )()

    def execute(self):
        """ExecuteStatement."""
        text, parameters = self.statement()
        return "ExecuteStatement", {"Statement": text, "Parameters": parameters}

    def execute_batch(self):
        """BatchExecuteStatement."""
        made = [self.statement() for _ in range(self.random.randrange(1, 4))]
        return "BatchExecuteStatement", {"Statements": [{"Statement": text, "Parameters": given} for text, given in made]}


OPERATIONS = [
    (Generator.put, 5),
    (Generator.change, 6),
    (Generator.delete, 2),
    (Generator.get, 3),
    (Generator.query, 6),
    (Generator.scan, 2),
    (Generator.legacy_change, 1),
    (Generator.batch_get, 1),
    (Generator.batch_write, 1),
    (Generator.transact_get, 1),
    (Generator.transact_write, 2),
    (Generator.execute, 2),
    (Generator.execute_batch, 1),
]


def scenario(seed):
    """The scenario of a seed."""
    generator = Generator(seed)
    steps = []
    for at in range(STEPS):
        generator.begin()
        operations, weights = zip(*OPERATIONS)
        operation = Generator.put if at < 3 else generator.random.choices(operations, weights)[0]
        target, request = operation(generator)
        step = {"target": target, "request": request}
        if target == "ExecuteStatement":
            step["unordered"] = ["Items"]
        steps.append(step)
    return {"name": f"seed {seed}", "setup": [generator.setup], "steps": steps}
